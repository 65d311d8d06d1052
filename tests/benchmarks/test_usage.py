"""What /proc says of a process, and the counters two processes share."""

import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.counters import Counters
from benchmarks.machine import machine, sentence
from benchmarks.usage import cpu_s, memory_mb
from tests.servers.waiting import wait_until


def test_cpu_of_this_process_is_what_the_system_accounts() -> None:
    before = cpu_s(os.getpid())
    wait_until(lambda: cpu_s(os.getpid()) > before + 0.05, interval=0.0)
    assert cpu_s(os.getpid()) == pytest.approx(time.process_time(), abs=0.5)


def test_a_process_whose_name_looks_like_more_columns_is_read_right(tmp_path: Path) -> None:
    # It burns on, so a column beside the right ones would stay where it is.
    program = shutil.copy("/bin/sh", tmp_path / "a) S 1 2")
    process = subprocess.Popen([program, "-c", "while :; do :; done"])
    try:
        wait_until(lambda: 0.05 < cpu_s(process.pid) < 60)
    finally:
        process.kill()
        process.wait()


def test_a_process_that_is_gone_has_used_nothing_and_has_no_memory() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert cpu_s(process.pid) == 0.0
    with pytest.raises(OSError, match=str(process.pid)):
        memory_mb(process.pid)


def test_memory_now_is_at_most_its_peak() -> None:
    assert 1 < memory_mb(os.getpid()) <= memory_mb(os.getpid(), "VmHWM")


def test_counters_are_seen_by_whoever_opens_the_file(tmp_path: Path) -> None:
    ours, theirs = Counters(tmp_path / "counters"), Counters(tmp_path / "counters")
    ours.set("allowed", 10**12)
    theirs.set("acked", 7)
    assert (theirs.get("allowed"), ours.get("acked"), ours.get("stop")) == (10**12, 7, 0)
    ours.close()
    theirs.close()


def test_the_machine_is_told_in_one_line() -> None:
    found = machine(datetime(2026, 1, 2, tzinfo=UTC), 1.25)
    assert found["date"] == "2026-01-02"
    assert int(found["cores"]) >= 1
    line = sentence(found)
    assert "\n" not in line
    assert "load before 1.2" in line
    assert f"paho-mqtt {found['paho-mqtt']}" in line
