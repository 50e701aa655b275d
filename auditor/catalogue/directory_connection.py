"""Active Directory: the connection, its hosts, and how completely it was read."""

from __future__ import annotations

from auditor.catalogue.check import check, planned

DIRECTORY_CONNECTION = (
    check(
        "AD-COL-001",
        "H",
        "Every host of the connection answers and accepts the sign-in",
        reads="the result of connecting and signing in to each configured host",
        rule="each host answers and accepts the auditing identity",
        why="A host that does not answer cannot serve the product either, and nothing on it can be verified.",
        controls="N:CA-7",
    ),
    check(
        "AD-COL-002",
        "H",
        "The connection speaks LDAP over TLS on the documented port",
        reads="the configured port and the TLS handshake with each host",
        rule="TLS 1.2 or newer answers on the documented port",
        why="Without TLS the bind password of a privileged account crosses the network readably.",
        controls="N:SC-8 I:A.8.24 P:4.2 P:8.3.2",
    ),
    check(
        "AD-COL-003",
        "M",
        "The LDAPS certificate is valid for the configured host",
        reads="the certificate each host shows",
        rule="it is trusted, names the host or tls_server_name, and is valid for more than 30 days",
        why="A certificate that names another host, or will expire, leaves clients the choice between failing and "
        "not verifying; the second lets anybody in between read the bind password.",
        controls="N:SC-17",
    ),
    check(
        "AD-COL-004",
        "M",
        "All hosts serve the same domain",
        reads="the rootDSE of each host",
        rule="every host that answers names the same default naming context, and none is a read-only domain controller",
        why="Hosts that serve different domains make the product's effect depend on which one answers; a read-only "
        "domain controller takes no change.",
        controls="N:CP-10",
    ),
    check(
        "AD-COL-005",
        "HL",
        "Base DNs are as documented and contain every target OU",
        reads="the configured base DNs and target OUs",
        rule="every target OU lies below a base DN, and base DNs consist of DC= components",
        why="The product finds only what lies below its base DN; an OU outside it is never provisioned.",
        controls="N:CM-6",
    ),
    planned("AD-COL-006", "L", "Clocks agree"),
    check(
        "AD-COL-007",
        "M",
        "The auditing identity is separate and no administrator",
        reads="objectSid and tokenGroups of the auditing identity",
        rule="it is not the audited account and in no group that administers the domain",
        why="An account that audits itself can hide what it holds; a separate reader makes the evidence independent, "
        "and a reader needs no administrative rights.",
        controls="N:AC-5 I:A.5.3",
    ),
    check(
        "AD-COL-008",
        "ML",
        "The security descriptor of every object in scope is readable",
        reads="nTSecurityDescriptor of the account, its groups, target OUs, group OUs and everything below, above and "
        "beside them, and of the tier-0 objects",
        rule="each is returned and well-formed; what is withheld beside the target OUs is told and leaves nothing open",
        why="Access control that cannot be read cannot be judged; what depends on it stays open.",
        controls="N:AU-12",
    ),
    check(
        "AD-COL-009",
        "M",
        "Two ways of reading the memberships agree",
        reads="tokenGroups, and the walk of memberOf and primaryGroupID",
        rule="both give the same security groups",
        why="The directory's own token and the walk of the groups must tell the same; a difference means that part of "
        "the membership could not be read or explained.",
        controls="N:CA-7",
    ),
    planned("AD-COL-010", "L", "Every GUID in an access control entry has a name"),
    planned("AD-COL-011", "M", "No referral or page was left out"),
    check(
        "AD-COL-012",
        "M",
        "The domain controller's own effective rights agree with the evaluation",
        reads="allowedChildClassesEffective, allowedAttributesEffective and sDRightsEffective of the target OUs, read "
        "as the audited account; only when its password is configured",
        rule="they tell the same as the evaluation of the security descriptors",
        why="The domain controller is an independent witness; where it disagrees, one of the two is wrong and neither "
        "may be presented as a fact.",
        controls="N:CA-7",
    ),
)
