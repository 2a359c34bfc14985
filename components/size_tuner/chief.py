"""KerasTuner's chief: hands out trials to workers over gRPC until none is left."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent import futures

import grpc

from components.size_tuner.oracle import HalvingOracle


def serve(oracle: HalvingOracle, lease_seconds: float, on_result: Callable[[], None]) -> None:
    """Answer workers as KerasTuner's chief until nothing is left to try and every live worker has received that answer.

    KerasTuner's own loop waits for ever for a worker that was killed.

    Args:
      oracle: that decides what is tried.
      lease_seconds: how long to wait for a silent worker at the end.
      on_result: called after every result.
    """
    from keras_tuner.src import protos
    from keras_tuner.src.distribute.oracle_chief import OracleServicer

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    protos.get_service_grpc().add_OracleServicer_to_server(OracleServicer(oracle), server)
    server.add_insecure_port(f"{os.environ['KERASTUNER_ORACLE_IP']}:{os.environ['KERASTUNER_ORACLE_PORT']}")
    server.start()
    reported = len(oracle.end_order)
    while not oracle.ended:
        time.sleep(0.5)
        if len(oracle.end_order) > reported:
            reported = len(oracle.end_order)
            on_result()
    deadline = time.monotonic() + lease_seconds
    while oracle.tuner_ids and time.monotonic() < deadline:
        time.sleep(0.2)
    server.stop(grace=2.0).wait()
