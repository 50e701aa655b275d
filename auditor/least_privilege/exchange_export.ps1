#Requires -Modules ExchangeOnlineManagement
<#
.SYNOPSIS
Writes what Exchange Online tells about its roles into a file, for `auditor collect --import`.

.DESCRIPTION
For an administrator of a tenant in which the permission auditor may not ask Exchange Online itself. It only reads, with
the commands of the list below, and needs no more than membership in View-Only Organization Management. Nothing but the
file is written. The auditor marks what comes from the file as supplied.

.PARAMETER Account
The audited accounts: the UPN of each, and its object id, which is how the auditor asks for it.

.PARAMETER Path
The file to write.

.PARAMETER ExchangeEnvironment
The cloud: O365Default, O365USGovGCCHigh, O365USGovDoD or O365China.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string[]] $Account,
    [string] $Path = 'exchange-export.json',
    [string] $ExchangeEnvironment = 'O365Default'
)
$ErrorActionPreference = 'Stop'

$properties = @{
    'Get-User' = @(
        'Name', 'DisplayName', 'UserPrincipalName', 'ExternalDirectoryObjectId', 'ExchangeObjectId', 'Guid'
        'RecipientType', 'RecipientTypeDetails', 'RemotePowerShellEnabled', 'EXOModuleEnabled'
    )
    'Get-RoleGroup' = @(
        'Name', 'DisplayName', 'Description', 'Roles', 'RoleAssignments', 'Members', 'ManagedBy', 'RoleGroupType'
        'LinkedGroup', 'ExternalDirectoryObjectId', 'ExchangeObjectId', 'Guid', 'DistinguishedName', 'IsValid'
        'WhenChangedUTC'
    )
    'Get-RoleGroupMember' = @(
        'Name', 'DisplayName', 'PrimarySmtpAddress', 'ExternalDirectoryObjectId', 'ExchangeObjectId', 'Guid'
        'DistinguishedName', 'RecipientType', 'RecipientTypeDetails'
    )
    'Get-ManagementRoleAssignment' = @(
        'Name', 'Identity', 'Role', 'RoleAssignee', 'RoleAssigneeName', 'RoleAssigneeType'
        'RoleAssignmentDelegationType', 'AssignmentMethod', 'AssignmentChain', 'EffectiveUserName', 'Enabled'
        'IsValid', 'RecipientReadScope', 'RecipientWriteScope', 'ConfigReadScope', 'ConfigWriteScope'
        'CustomRecipientWriteScope', 'CustomConfigWriteScope', 'CustomResourceScope', 'RecipientGroupScope'
        'RecipientAdministrativeUnitScope', 'RecipientOrganizationalUnitScope', 'WhenChangedUTC'
    )
    'Get-ManagementRole' = @(
        'Name', 'RoleType', 'Parent', 'IsRootRole', 'IsEndUserRole', 'IsDeprecated', 'IsValid', 'ExchangeObjectId'
        'Guid', 'ImplicitRecipientReadScope', 'ImplicitRecipientWriteScope', 'ImplicitConfigReadScope'
        'ImplicitConfigWriteScope'
    )
    'Get-ManagementRoleEntry' = @('Name', 'Role', 'Parameters', 'Type')
    'Get-ManagementScope' = @(
        'Name', 'ScopeRestrictionType', 'RecipientRoot', 'RecipientFilter', 'Exclusive', 'Guid', 'IsValid'
    )
}
$calls = [System.Collections.Generic.List[object]]::new()

function Format-Instant {
    param([datetime] $Instant)
    $Instant.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', [cultureinfo]::InvariantCulture)
}

function Format-Value {
    param($Value)
    if ($null -eq $Value) { return $null }
    if ($Value -is [bool] -or $Value -is [int]) { return $Value }
    if ($Value -is [datetime]) { return Format-Instant $Value }
    return [string] $Value
}

function Read-Answer {
    param([string] $Cmdlet, [hashtable] $Parameters)

    $call = [ordered] @{
        cmdlet = $Cmdlet
        parameters = $Parameters
        started_at = Format-Instant ([datetime]::UtcNow)
        finished_at = $null
        error = $null
        records = @()
    }
    $answer = @()
    try {
        $answer = @(
            switch ($Cmdlet) {
                'Get-User' { Get-User @Parameters }
                'Get-RoleGroup' { Get-RoleGroup @Parameters }
                'Get-RoleGroupMember' { Get-RoleGroupMember @Parameters }
                'Get-ManagementRoleAssignment' { Get-ManagementRoleAssignment @Parameters }
                'Get-ManagementRole' { Get-ManagementRole @Parameters }
                'Get-ManagementRoleEntry' { Get-ManagementRoleEntry @Parameters }
                'Get-ManagementScope' { Get-ManagementScope @Parameters }
            }
        )
    }
    catch {
        $call.error = $_.Exception.Message
    }
    $call.finished_at = Format-Instant ([datetime]::UtcNow)
    $call.records = @(
        foreach ($object in $answer) {
            $record = [ordered] @{}
            foreach ($name in $properties[$Cmdlet]) {
                $value = $object.$name
                if ($value -is [System.Collections.IEnumerable] -and $value -isnot [string]) {
                    $record[$name] = @($value | ForEach-Object { [string] $_ })
                }
                else {
                    $record[$name] = Format-Value $value
                }
            }
            $record
        }
    )
    $calls.Add($call)
    return $answer
}

Connect-ExchangeOnline -ExchangeEnvironmentName $ExchangeEnvironment -ShowBanner:$false
$session = @(Get-ConnectionInformation)[0]

foreach ($name in $Account) {
    # The auditor asks by the object id, or by the name when it cannot know the id
    $user = @(Read-Answer 'Get-User' @{ Identity = $name })
    $id = if ($user.Count -eq 1) { [string] $user[0].ExternalDirectoryObjectId } else { $name }
    if (-not ($id -as [guid])) { continue }
    if ($id -ne $name -and $Account -notcontains $id) { Read-Answer 'Get-User' @{ Identity = $id } | Out-Null }
    if ($id -eq $name -or $Account -notcontains $id) {
        Read-Answer 'Get-ManagementRoleAssignment' @{ RoleAssignee = $id } | Out-Null
    }
}
foreach ($group in @(Read-Answer 'Get-RoleGroup' @{ ResultSize = 'Unlimited' })) {
    $id = [string] $group.ExchangeObjectId
    if (-not $id) { $id = [string] $group.Guid }
    Read-Answer 'Get-RoleGroupMember' @{ Identity = $id; ResultSize = 'Unlimited' } | Out-Null
}
Read-Answer 'Get-ManagementRoleAssignment' @{} | Out-Null
Read-Answer 'Get-ManagementScope' @{} | Out-Null
$types = 'DistributionGroups', 'MailRecipients', 'SecurityGroupCreationAndMembership'
foreach ($role in @(Read-Answer 'Get-ManagementRole' @{})) {
    if ($types -contains [string] $role.RoleType) {
        Read-Answer 'Get-ManagementRoleEntry' @{ Identity = "$($role.Name)\*"; ResultSize = 'Unlimited' } | Out-Null
    }
}

$export = [ordered] @{
    format = 'hire2retire-permission-auditor/exchange-export'
    version = 1
    tenant_id = [string] $session.TenantID
    exported_by = [string] $session.UserPrincipalName
    exported_at = Format-Instant ([datetime]::UtcNow)
    calls = $calls.ToArray()
}
$file = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
$json = ConvertTo-Json -InputObject $export -Depth 8
[System.IO.File]::WriteAllText($file, $json, [System.Text.UTF8Encoding]::new($false))
"$($calls.Count) answers written to $file"
