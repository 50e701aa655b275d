#Requires -Modules ActiveDirectory
<#
.SYNOPSIS
Lets the auditing identity of the Hire2Retire permission auditor read what it needs, and nothing more.

.DESCRIPTION
For a domain administrator. Run it with -WhatIf first. It creates an ordinary account if there is none, adds it to
Windows Authorization Access Group, and lets it read the OUs below with everything in them: list contents, read all
properties, read permissions. What is there already stays as it is. It removes nothing.

.PARAMETER Path
Where a new account is created. Default: the domain's container for accounts.
#>
[CmdletBinding(SupportsShouldProcess)]
param([string] $Path)
$ErrorActionPreference = 'Stop'

# From the inventory
#INVENTORY#

$domain = Get-ADDomain -Server $Server
$account = Get-ADUser -Filter "sAMAccountName -eq '$($AccountName.Replace("'", "''"))'" -Server $Server
if (-not $account) {
    if (-not $PSCmdlet.ShouldProcess($AccountName, 'Create an account')) { return }
    $new = @{
        Name = $AccountName
        SamAccountName = $AccountName
        UserPrincipalName = "$AccountName@$($domain.DNSRoot)"
        Description = 'Reads for the Hire2Retire permission auditor'
        AccountPassword = Read-Host -AsSecureString "Password for $AccountName"
        Enabled = $true
        Server = $Server
    }
    if ($Path) { $new.Path = $Path }
    $account = New-ADUser @new -PassThru
}

# S-1-5-32-560 is Windows Authorization Access Group, whatever it is called here
$group = Get-ADGroup -Identity 'S-1-5-32-560' -Server $Server
$members = @(Get-ADGroupMember -Identity $group -Server $Server)
if ($members.SID -notcontains $account.SID) {
    if ($PSCmdlet.ShouldProcess($group.Name, "Add $AccountName")) {
        Add-ADGroupMember -Identity $group -Members $account -Server $Server
    }
}

$read = [System.DirectoryServices.ActiveDirectoryRights]::GenericRead
$inheritance = [System.DirectoryServices.ActiveDirectorySecurityInheritance]::All
$allow = [System.Security.AccessControl.AccessControlType]::Allow
$rule = [System.DirectoryServices.ActiveDirectoryAccessRule]::new($account.SID, $read, $allow, $inheritance)
foreach ($unit in $OrganizationalUnits) {
    # In a path of ADSI a slash separates the server from the name
    $entry = [System.DirectoryServices.DirectoryEntry]::new("LDAP://$Server/$($unit.Replace('/', '\/'))")
    $entry.Options.SecurityMasks = [System.DirectoryServices.SecurityMasks]::Dacl
    $entry.ObjectSecurity.AddAccessRule($rule)
    if ($PSCmdlet.ShouldProcess($unit, "Let $AccountName read it and everything in it")) {
        $entry.CommitChanges()
    }
    $entry.Dispose()
}
