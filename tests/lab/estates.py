"""The estate of known answers: for every way to hold or lack the documented rights, an account."""

from __future__ import annotations

from tests.lab.account_cases import CONTROLLED, EXPOSED
from tests.lab.cases import KnownAnswers
from tests.lab.delegation_cases import IN_OTHER_HANDS, PART_OF_THE_TASK, WHOLE_TASK
from tests.lab.estate import Renaming
from tests.lab.excess_cases import BESIDE_THE_TARGETS, BEYOND_THE_TASK
from tests.lab.membership_cases import IN_DOMAIN_ADMINS, ODD_ACCOUNTS_AND_NAMES, THROUGH_GROUPS
from tests.lab.reach_cases import REACH, UNSEEN

KNOWN_ANSWERS = KnownAnswers(
    cases=(
        *WHOLE_TASK,
        *IN_OTHER_HANDS,
        *PART_OF_THE_TASK,
        *REACH,
        *UNSEEN,
        *IN_DOMAIN_ADMINS,
        *THROUGH_GROUPS,
        *ODD_ACCOUNTS_AND_NAMES,
        *EXPOSED,
        *CONTROLLED,
        *BEYOND_THE_TASK,
        *BESIDE_THE_TARGETS,
    ),
    renamings=(Renaming(name="Domain Admins", new_rdn="CN=Domänen-Admins", new_name="Domänen-Admins"),),
)
