"""Threads that end with the process, whatever they wait for."""

import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError

import pytest

from reconciler.threads import Pool


def test_calls_run_beside_each_other_and_no_more_than_asked_for() -> None:
    met, running, most = threading.Barrier(3), [], []
    lock = threading.Lock()

    def call(number: int) -> int:
        with lock:
            running.append(number)
            most.append(len(running))
        met.wait(10)
        with lock:
            running.remove(number)
        return number

    with Pool(3, "call") as pool:
        futures = [pool.submit(lambda number=number: call(number)) for number in range(9)]
        assert [future.result(20) for future in futures] == list(range(9))
    assert max(most) == 3


def test_what_a_call_raises_is_raised_where_its_result_is_asked_for() -> None:
    with Pool(1, "call") as pool:
        failed, good = pool.submit(lambda: 1 // 0), pool.submit(lambda: 1)
        with pytest.raises(ZeroDivisionError):
            failed.result(10)
        assert good.result(10) == 1


def test_what_had_not_begun_when_the_pool_closes_is_not_begun() -> None:
    begun: list[int] = []
    hold = threading.Event()
    pool = Pool(1, "call")
    pool.submit(lambda: (begun.append(0), hold.wait(10)))
    for number in range(1, 5):
        pool.submit(lambda number=number: begun.append(number))
    while not begun:
        time.sleep(0.001)
    threading.Timer(0.2, hold.set).start()
    pool.close()
    assert begun == [0]


def test_what_a_running_call_asks_for_once_the_pool_closes_is_cancelled() -> None:
    pool, closing, told = Pool(2, "call"), threading.Event(), []

    def parent() -> None:
        closing.wait(10)
        time.sleep(0.1)  # until `close` has emptied the queue and waits for this call
        try:
            pool.submit(lambda: None).result(10)
        except CancelledError:
            told.append("cancelled")

    pool.submit(parent)
    closing.set()
    pool.close()
    assert told == ["cancelled"]


def test_a_call_that_never_answers_does_not_keep_the_process_alive() -> None:
    code = "import threading\nfrom reconciler.threads import Pool\nPool(2, 'call').submit(threading.Event().wait)\n"
    began = time.monotonic()
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0
    assert time.monotonic() - began < 25
