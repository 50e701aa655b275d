#Requires -Modules Microsoft.Graph.Authentication, Microsoft.Graph.Applications, ExchangeOnlineManagement
<#
.SYNOPSIS
Lets the auditing identity of the Hire2Retire permission auditor read what it needs, and nothing more.

.DESCRIPTION
For a Global Administrator, or a Privileged Role Administrator who is also an Exchange Administrator. Run it with
-WhatIf first. It creates the application if there is none (for a certificate or a federated token), grants the
application permissions below, all of which only read, and adds the application to the role group View-Only
Organization Management of Exchange Online. What is there already stays as it is. It removes nothing.

.PARAMETER CertificateFile
The public certificate (.cer) of a new application. Its private key stays where the tool runs.

.PARAMETER FederatedIssuer
With FederatedSubject: whose tokens a new application accepts (workload identity federation).
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string] $DisplayName = 'Hire2Retire permission auditor',
    [string] $CertificateFile,
    [string] $FederatedIssuer,
    [string] $FederatedSubject
)
$ErrorActionPreference = 'Stop'

# From the inventory
#INVENTORY#

$scopes = 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All'
Connect-MgGraph -TenantId $TenantId -Environment $GraphEnvironment -Scopes $scopes -NoWelcome

$principal = $null
if ($ClientId) {
    $principal = Get-MgServicePrincipal -Filter "appId eq '$ClientId'"
}
if (-not $principal -and $IsManagedIdentity) {
    $found = @(Get-MgServicePrincipal -Filter "displayName eq '$DisplayName'" |
        Where-Object { $_.ServicePrincipalType -eq 'ManagedIdentity' })
    if ($found.Count -ne 1) {
        throw "Name the managed identity: -DisplayName is the name of the machine for a system-assigned one."
    }
    $principal = $found[0]
}
if (-not $principal) {
    $application = $null
    if ($ClientId) {
        $application = Get-MgApplication -Filter "appId eq '$ClientId'"
    }
    if (-not $application) {
        if (-not $PSCmdlet.ShouldProcess($DisplayName, 'Register an application')) { return }
        $new = @{ DisplayName = $DisplayName; SignInAudience = 'AzureADMyOrg' }
        if ($CertificateFile) {
            $key = [System.IO.File]::ReadAllBytes((Resolve-Path $CertificateFile).Path)
            $new.KeyCredentials = @(@{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; Key = $key })
        }
        $application = New-MgApplication @new
        if ($FederatedIssuer) {
            $credential = @{
                Name = 'auditor'
                Issuer = $FederatedIssuer
                Subject = $FederatedSubject
                Audiences = @('api://AzureADTokenExchange')
            }
            New-MgApplicationFederatedIdentityCredential -ApplicationId $application.Id -BodyParameter $credential |
                Out-Null
        }
    }
    if (-not $PSCmdlet.ShouldProcess($application.AppId, 'Create its service principal')) { return }
    $principal = New-MgServicePrincipal -AppId $application.AppId
}

function Grant-ApplicationPermission {
    [CmdletBinding(SupportsShouldProcess)]
    param([string] $ResourceAppId, [string[]] $Names)

    $resource = Get-MgServicePrincipal -Filter "appId eq '$ResourceAppId'"
    $granted = @(Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -All).AppRoleId
    foreach ($name in $Names) {
        $role = $resource.AppRoles |
            Where-Object { $_.Value -eq $name -and $_.AllowedMemberTypes -contains 'Application' }
        if (-not $role) { throw "$($resource.DisplayName) has no application permission $name." }
        if ($granted -contains $role.Id) { continue }
        if ($PSCmdlet.ShouldProcess($principal.DisplayName, "Grant $name")) {
            $assignment = @{ PrincipalId = $principal.Id; ResourceId = $resource.Id; AppRoleId = $role.Id }
            New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -BodyParameter $assignment |
                Out-Null
        }
    }
}

# Microsoft Graph, and Office 365 Exchange Online; the ids are the same in every tenant
Grant-ApplicationPermission -ResourceAppId '00000003-0000-0000-c000-000000000000' -Names $GraphPermissions
Grant-ApplicationPermission -ResourceAppId '00000002-0000-0ff1-ce00-000000000000' -Names 'Exchange.ManageAsApp'

Connect-ExchangeOnline -ExchangeEnvironmentName $ExchangeEnvironment -ShowBanner:$false
$known = Get-ServicePrincipal | Where-Object { $_.AppId -eq $principal.AppId }
if (-not $known -and $PSCmdlet.ShouldProcess($principal.DisplayName, 'Make it known to Exchange Online')) {
    New-ServicePrincipal -AppId $principal.AppId -ObjectId $principal.Id -DisplayName $principal.DisplayName | Out-Null
}
$members = Get-RoleGroupMember -Identity 'View-Only Organization Management' -ResultSize Unlimited
if ($members.ExternalDirectoryObjectId -notcontains $principal.Id) {
    if ($PSCmdlet.ShouldProcess('View-Only Organization Management', "Add $($principal.DisplayName)")) {
        Add-RoleGroupMember -Identity 'View-Only Organization Management' -Member $principal.Id
    }
}
"client_id for the inventory: $($principal.AppId)"
