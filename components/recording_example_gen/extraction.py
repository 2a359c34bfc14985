"""The work of Beam's workers: every recording is analysed, all are planned together, then windows are cut.

Analyses wait in memory while the plan is made: features of an hour are 15 MB. The audio does not wait: it is decoded a
second time when windows are cut. Workers import this module, so it must not import TFX, which takes them longer than
minutes of audio.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import apache_beam as beam
from apache_beam.pvalue import AsSingleton, TaggedOutput

from common.progress import RECORDINGS_LOG, clock
from data.analysis import Analysis, analyse, make_tracker
from data.config import ExtractionConfig
from data.files.listing import Listing
from data.windows.cutting import cut
from data.windows.plan import Plan, make_plan

SPLITS = ("train", "eval")


@beam.ptransform_fn
def extract(
    pipeline: beam.Pipeline, base: str, listing: Listing, config: ExtractionConfig, report_uri: str | None
) -> beam.pvalue.DoOutputsTuple:
    """Convert recordings to examples, tagged "train" and "eval"; the ingest report goes to `report_uri`."""
    analyses = (
        pipeline
        | "Recordings" >> beam.Create([(name, None) for name in listing.names])
        | "Spread" >> beam.GroupByKey()  # so that runners give recordings to different workers
        | "Names" >> beam.Keys()
        | "Analyse" >> beam.ParDo(AnalyseRecording(base, config))
    )
    plan = (
        analyses
        | "Summaries" >> beam.Map(lambda named: named[1].summary())
        | "All" >> beam.combiners.ToList()
        | "Plan" >> beam.Map(lambda summaries: make_plan(summaries, config))
    )
    if report_uri:
        _ = plan | "Report" >> beam.Map(_write_report, report_uri)
    return analyses | "Cut" >> beam.ParDo(CutWindows(base, config), AsSingleton(plan)).with_outputs(*SPLITS)


def _write_report(plan: Plan, uri: str) -> None:
    plan.report.write(uri)


class AnalyseRecording(beam.DoFn):
    """Name of a recording -> (name, analysis)."""

    def __init__(self, base: str, config: ExtractionConfig):
        self._base, self._config = base, config

    def setup(self) -> None:
        """Load the tracker once a worker."""
        self._tracker = make_tracker(self._config)

    def process(self, name: str) -> Iterator[tuple[str, Analysis]]:
        """Analyse one recording, and log it: a runner on this machine shows the line."""
        analysis = analyse(self._base, name, self._config, self._tracker)
        logging.getLogger(RECORDINGS_LOG).info(
            "analysed %s, %s", analysis.entry.recording, clock(analysis.entry.seconds or 0.0)
        )
        yield name, analysis


class CutWindows(beam.DoFn):
    """(name, analysis) -> serialized examples, tagged by split, as planned."""

    def __init__(self, base: str, config: ExtractionConfig):
        self._base, self._config = base, config

    def process(self, named: tuple[str, Analysis], plan: Plan) -> Iterable[TaggedOutput]:
        """Cut the windows of one recording."""
        name, analysis = named
        cuts = plan.cuts.get(analysis.entry.recording)
        if cuts:
            for side, example in cut(self._base, name, analysis, cuts, self._config):
                yield TaggedOutput(side, example)
