"""What to look at: every warning of every step in one list, faults first.

The report says at its top what a physicist should know before a number of it is used; a finding has the number that was
found, the bound that it is compared with, and a link to what shows it. Bounds are constants beside their reason.
"""

from partonic.report.event_counts import EventCounts
from partonic.report.findings.events import event_findings, generation_findings
from partonic.report.findings.finding import Finding
from partonic.report.findings.fit import fit_findings
from partonic.report.findings.integrals import integral_findings
from partonic.report.findings.learned import learned_findings
from partonic.report.findings.models import model_findings
from partonic.report.section import Sample

__all__ = ["Finding", "gather_findings"]


def gather_findings(sample: Sample, counts: EventCounts) -> tuple[Finding, ...]:
    """Return the findings of all steps, faults first, then in the order of the page: fit, integrals, models, events."""
    limits = sample.limits
    found: list[Finding] = []
    if limits is not None and limits.inference is not None:
        found += fit_findings(limits.inference)
    if limits is not None:
        found += integral_findings(limits)
        found += learned_findings(limits)
    found += model_findings(sample)
    found += event_findings(sample, counts)
    found += generation_findings(sample.generation)
    return tuple(sorted(found, key=lambda finding: finding.level != "fault"))
