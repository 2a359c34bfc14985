"""Statistics of scalar and frame features, over all windows and by span."""

from __future__ import annotations

from tfx.components import StatisticsGen
from tfx.types import BaseChannel

from common.features import SPAN
from data.windows.schema import statistics_features


def make_statistics_gen(examples: BaseChannel) -> StatisticsGen:
    """Build TFX's StatisticsGen without raw audio, the statistics of which are slow and of no use."""
    import tensorflow_data_validation as tfdv
    from tfx_bsl.public.proto import slicing_spec_pb2

    by_span = slicing_spec_pb2.SlicingConfig(slicing_specs=[slicing_spec_pb2.SlicingSpec(feature_keys=[SPAN])])
    options = tfdv.StatsOptions(feature_allowlist=statistics_features(), slicing_config=by_span)
    return StatisticsGen(examples=examples, stats_options=options)
