"""The judgements of the doctor: which figures are well, which are not, and that it says how to mend them."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import trustme

from model.forecast.score_totals import LiveScore
from monitor.config.loader import Config
from monitor.doctor.checks.clock import UNSYNCHRONISED, judge_age, judge_day, judge_kernel_clock
from monitor.doctor.checks.database import judge_log, judge_refusal, judge_writer
from monitor.doctor.checks.disk import judge_file_system, judge_inodes, judge_room
from monitor.doctor.checks.host import container_limits, judge_figures, unreadable_source
from monitor.doctor.checks.models import judge_age as judge_model_age
from monitor.doctor.checks.models import judge_gradients, judge_skill, judge_task, judge_trainings
from monitor.doctor.checks.permissions import judge_owners, judge_service, keys_private
from monitor.doctor.checks.port import Answer, Seen, judge_exposure, judge_port
from monitor.doctor.context import NONE_RUNS, Daemon
from monitor.doctor.results import exit_code, failed, ok, report, skipped, warning
from monitor.doctor.runner import Named, one
from monitor.queries.scores import HorizonScore
from monitor.sampling.sources import make_sources, procfs
from monitor.training.bootstrap_model import configured_task, pretrained_task
from monitor.training.records import CompletedRun, RegisteredModel
from monitor.training.report import TrainingReport
from storage.inspection import Outside

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0
GIB = 2**30


def test_a_warning_is_no_failure_and_one_failure_is():
    assert exit_code([ok("a", "x"), warning("b", "x", "y"), skipped("c", "x")]) == 0
    assert exit_code([ok("a", "x"), failed("b", "x", "y")]) == 1


def test_the_report_has_a_line_a_result_aligned_and_how_to_mend_it_below():
    found = [ok("a", "fine"), failed("longer", "broken", "mend me"), skipped("b", "not here")]
    lines = str(report(found)).splitlines()
    assert lines == [
        "ok    a       fine",
        "FAIL  longer  broken",
        "              mend: mend me",
        "skip  b       not here",
        "",
        "1 ok, 0 warn, 1 FAIL, 1 skip",
    ]


def test_a_check_that_raises_is_told_as_failed_with_what_it_found_before():
    def look():
        yield ok("first", "fine")
        raise RuntimeError("two\nlines")

    found = one(Named("second", look))
    assert [(result.name, result.state) for result in found] == [("first", "ok"), ("second", "failed")]
    assert "RuntimeError: two lines" in found[1].found


def figures(name, rates):
    (source,) = make_sources((name,))
    return judge_figures(source, {**dict.fromkeys(source.fields), **rates})


def test_a_host_without_swap_is_well_and_says_so():
    found = figures("swap", {})
    assert (found.state, found.found) == ("ok", "no swap_usage: this host has no swap")


def test_a_link_without_a_speed_is_well_and_said():
    rates = {"network_receive": 1.0, "network_transmit": 2.0, "network_errors": 0.0}
    found = figures("network", rates)
    assert found.state == "ok"
    assert "no network_usage: no link tells its speed" in found.found


def test_a_figure_that_cannot_be_or_is_missing_without_a_reason_is_a_warning():
    assert figures("memory", {"memory_usage": 1.5}).state == "warning"
    assert "cannot be: memory_usage 1.5" in figures("memory", {"memory_usage": 1.5}).found
    missing = figures("cpu", {"cpu_usage": 0.5, "cpu_iowait": 0.0})
    assert (missing.state, missing.found) == ("warning", "no cpu_steal; cpu_usage 0.5, cpu_iowait 0")


def test_memory_that_is_all_in_use_is_suspicious():
    assert figures("memory", {"memory_usage": 0.999}).state == "warning"
    assert figures("memory", {"memory_usage": 0.9}).state == "ok"


def test_a_kernel_without_pressure_is_told_how_to_have_it():
    found = unreadable_source("pressure", FileNotFoundError(2, "No such file or directory"))
    assert found.state == "warning"
    assert "psi=1" in found.mend


def test_a_source_that_reads_garbage_has_failed():
    found = unreadable_source("cpu", ValueError("no line"))
    assert (found.state, found.found) == ("failed", "cannot be read: ValueError: no line")


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_a_limit_of_a_container_that_meminfo_does_not_show_is_a_warning(tmp_path, monkeypatch, name):
    monkeypatch.setattr(procfs, "SYSFS", tmp_path)
    limit = tmp_path / "fs" / "cgroup" / name
    limit.parent.mkdir(parents=True)
    limit.write_text(f"{2**26}\n")
    (found,) = container_limits(None)
    assert found.state == "warning"
    assert "may use 0.1 GiB, which memory_usage does not show" in found.found
    for none in ("max\n", "9223372036854771712\n"):
        limit.write_text(none)
        assert [result.state for result in container_limits(None)] == ["ok"]


def test_meminfo_through_lxcfs_is_told(tmp_path, monkeypatch):
    part = SimpleNamespace(mountpoint="/proc/meminfo", fstype="fuse.lxcfs")
    monkeypatch.setattr(procfs, "SYSFS", tmp_path)
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: [part])
    (found,) = container_limits(None)
    assert (found.state, "lxcfs" in found.found) == ("ok", True)


def test_a_private_key_that_everyone_may_read_is_a_warning(tmp_path):
    made = trustme.CA().issue_cert("localhost")
    made.private_key_pem.write_to_path(str(tmp_path / "server.key"))
    made.cert_chain_pems[0].write_to_path(str(tmp_path / "server.crt"))
    file = tmp_path / "web.yml"
    file.write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
    evidence = SimpleNamespace(config=SimpleNamespace(web_file=file))
    (tmp_path / "server.key").chmod(0o644)
    (found,) = keys_private(evidence)
    assert (found.state, found.mend) == ("warning", f"chmod o= {tmp_path}/server.key")
    (tmp_path / "server.key").chmod(0o640)
    assert [result.state for result in keys_private(evidence)] == ["ok"]


def test_the_kernels_word_on_its_clock():
    assert judge_kernel_clock(0, 2500).found == "synchronised, off by 2 ms at most"
    assert judge_kernel_clock(UNSYNCHRONISED, 16_000_000).state == "warning"


@pytest.mark.parametrize(
    ("age", "running", "state"),
    [
        (4.0, True, "ok"),
        (4.0, False, "ok"),
        (60.0, True, "failed"),
        (60.0, False, "warning"),
        (60.0, None, "warning"),
    ],
)
def test_a_last_sample_that_is_old_is_a_failure_where_a_daemon_runs(age, running, state):
    assert judge_age(age, 5.0, running=running).state == state


def test_the_holes_of_a_day_are_counted_and_their_share_judged():
    whole = NOW - 5.0 * np.arange(1000)[::-1]
    assert judge_day(whole, NOW, 5.0).state == "ok"
    holed = judge_day(np.delete(whole, slice(400, 500)), NOW, 5.0)
    assert holed.state == "warning"
    assert "10.0% missed; 1 gaps, the longest 8.4 min" in holed.found
    assert judge_day(whole[:1], NOW, 5.0).state == "skipped"


def test_a_moment_that_was_taken_tells_of_a_clock_that_was_set_back():
    times = NOW - 5.0 * np.arange(100)[::-1]
    found = judge_day(np.sort(np.append(times, times[50] + 0.001)), NOW, 5.0)
    assert found.state == "warning"
    assert "1 at moments that were taken" in found.found


def test_room_is_judged_by_what_is_still_to_come():
    assert judge_room(10 * GIB, GIB, 290.0).state == "ok"
    assert judge_room(GIB, 2 * GIB, 290.0).state == "warning"
    assert judge_room(2**20, 0, 290.0).state == "failed"
    assert judge_room(2**20, 0, 290.0).found.startswith("1.0 MiB free")


def test_inodes_may_end_and_some_file_systems_count_none():
    states = [judge_inodes(*free).state for free in ((1000, 2000), (3, 2000), (0, 0))]
    assert states == ["ok", "failed", "skipped"]


@pytest.mark.parametrize(
    ("kind", "state"),
    [("ext4", "ok"), ("xfs", "ok"), ("nfs4", "warning"), ("tmpfs", "warning"), ("overlay", "warning")],
)
def test_a_file_system_over_a_network_or_one_that_ends_is_a_warning(kind, state):
    assert judge_file_system("/srv", kind).state == state


def seen(**changed):
    return replace(Outside(1000, 0, sound=True, wal=True, writer=None, strangers=()), **changed)


def test_the_log_of_a_database_is_judged_by_its_kind_and_its_size():
    assert judge_log(seen(), "/x/monitor.db").state == "ok"
    assert judge_log(seen(log_size=2**28), "/x/monitor.db").state == "warning"
    assert judge_log(seen(wal=False), "/x/monitor.db").state == "warning"
    assert judge_log(seen(sound=False), "/x/monitor.db").state == "failed"


def test_who_keeps_the_write_lock_is_named():
    assert judge_writer(None).state == "ok"
    assert "process 77" in judge_writer(77).found


@pytest.mark.parametrize(
    ("error", "running", "state", "mend"),
    [
        ("/x/monitor.db: no database there", False, "warning", "start the daemon"),
        ("/x/monitor.db: no database there", True, "failed", "restart the daemon"),
        ("/x/monitor.db: its schema is revision 9999, and this release", False, "failed", "release that wrote it"),
        ("/x/monitor.db: not a database of monitor (it has a table foo)", False, "failed", "storage.url"),
        ("/x/monitor.db: database is locked; another", True, "failed", "fuser -v /x/monitor.db"),
        ("/x/monitor.db: Permission denied", False, "failed", "as root"),
        ("/x/monitor.db: file is not a database; move", False, "failed", "restore a backup"),
    ],
)
def test_each_refusal_of_a_database_has_its_own_remedy(error, running, state, mend):
    found = judge_refusal(error, running=running)
    assert found.state == state
    assert mend in found.mend


def test_files_of_another_owner_than_the_directory_are_named():
    assert judge_owners(Path("/x"), 7, {"monitor.db": 7, "monitor.db-wal": 7}).state == "ok"
    found = judge_owners(Path("/x"), 7, {"monitor.db": 7, "monitor.db-wal": 0})
    assert (found.state, found.mend) == ("failed", "chown 7 /x/*")
    assert "monitor.db-wal is root (0)'s" in found.found


SERVICE = {
    "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled",
    "NRestarts": "0", "WatchdogUSec": "1min", "MainPID": "10", "Result": "success",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "state", "told"),
    [
        ({}, "ok", "active (running), enabled, 0 restarts, watchdog 1min"),
        ({"LoadState": "not-found"}, "skipped", "not installed"),
        ({"LoadState": "masked"}, "failed", "masked"),
        ({"ActiveState": "failed", "Result": "watchdog"}, "failed", "it ended with watchdog"),
        ({"NRestarts": "12"}, "warning", "12 restarts"),
        ({"UnitFileState": "disabled"}, "warning", "not started at boot"),
        ({"WatchdogUSec": "0"}, "warning", "a hang goes unnoticed"),
    ],
)
def test_what_systemd_says_of_the_unit(changed, state, told):
    found = judge_service(SERVICE | changed)
    assert found.state == state
    assert told in found.found


PAGE = Answer(200, b"monitor_build_info{} 1\n", "monitor")
RUNS = Daemon(True, 10)


@pytest.mark.parametrize(
    ("found", "daemon", "state", "told"),
    [
        (Seen(True, Answer(200, b"healthy\n"), PAGE, 10), RUNS, "ok", "/-/healthy 200, /metrics 200"),
        (Seen(True, Answer(401), Answer(401), 10), RUNS, "ok", "/-/healthy 401"),
        (Seen(True, Answer(200, secure=True), replace(PAGE, secure=True), 10), RUNS, "ok", "over HTTPS"),
        (Seen(True, Answer(503), PAGE, 10), RUNS, "failed", "no sample for too long"),
        (Seen(True, Answer(200), replace(PAGE, code=500), 10), RUNS, "failed", "/metrics 500"),
        (Seen(True, Answer(0, why="no answer within 2 s"), Answer(0), 10), RUNS, "failed", "takes connections"),
        (Seen(True, Answer(200), PAGE, 99), NONE_RUNS, "warning", "another database"),
        (Seen(True, Answer(404), Answer(404), 99), RUNS, "failed", "another program (process 99) holds"),
        (Seen(True, Answer(0, why="not HTTP"), Answer(0), None), NONE_RUNS, "failed", "another program holds"),
        (Seen(False, Answer(0), Answer(0), None), RUNS, "failed", "though the daemon runs"),
        (Seen(False, Answer(0), Answer(0), None), NONE_RUNS, "skipped", "no daemon is known to run"),
        (Seen(False, Answer(0), Answer(0), None), Daemon(None), "skipped", "no daemon is known to run"),
    ],
)
def test_who_answers_at_the_port_is_told_apart(found, daemon, state, told):
    result = judge_port("127.0.0.1:10190", found, daemon)
    assert result.state == state
    assert told in result.found


@pytest.mark.parametrize(
    ("host", "answer", "state"),
    [
        ("127.0.0.1", PAGE, "ok"),
        ("::1", PAGE, "ok"),
        ("localhost", PAGE, "ok"),
        ("0.0.0.0", PAGE, "warning"),
        ("0.0.0.0", Answer(401), "ok"),
        ("192.0.2.1", replace(PAGE, secure=True), "ok"),
    ],
)
def test_a_page_that_others_read_unasked_and_unencrypted_is_a_warning(host, answer, state):
    assert judge_exposure(host, answer).state == state


def registered(created_at=NOW, **report):
    report = TrainingReport(created_at, created_at, 0, **report)
    return RegisteredModel(3, created_at, "a" * 64, 100, report, created_at)


def test_a_model_for_another_question_is_told_by_what_differs():
    task = configured_task(Config())
    assert judge_task(registered(task=task), Config()).state == "ok"
    other = judge_task(registered(task=replace(task, horizons=(60.0,))), Config())
    assert (other.state, "other horizons than" in other.found) == ("warning", True)
    assert judge_task(registered(), Config()).state == "skipped"


def test_a_prior_made_for_another_interval_is_told():
    pretrained = replace(pretrained_task(Config()), step=30.0)
    assert "other step than" in judge_task(registered(pretrained=pretrained), Config()).found


def test_a_model_older_than_two_trainings_is_old_and_a_prior_is_explained(overview):
    task = configured_task(Config())
    old = registered(NOW - 40 * 86400.0, task=task)
    assert judge_model_age(old, replace(overview, at=NOW, model=old), Config()).state == "warning"
    assert judge_model_age(registered(task=task), overview, Config()).state == "ok"
    prior = registered(pretrained=task)
    young = replace(overview, model=prior, covered=60.0)
    assert "not enough history: 1 min of the 2 h" in judge_model_age(prior, young, Config()).found


def runs(*outcomes, report=None):
    return [CompletedRun(NOW, NOW + 1, outcome, "why", None, report) for outcome in outcomes]


def test_trainings_that_bring_nothing_are_counted():
    assert judge_trainings([]).state == "skipped"
    assert judge_trainings(runs("refused", "refused", "promoted")).state == "ok"
    often = judge_trainings(runs("refused", "refused", "refused", "promoted"))
    assert (often.state, "3 in a row" in often.found) == ("warning", True)
    assert judge_trainings(runs("failed", "promoted")).state == "failed"


def test_gradients_are_those_of_the_last_training_that_had_any(overview):
    report = overview.last_run.report
    health = replace(report.health, advice=())

    def judged(**changed):
        return judge_gradients(runs("promoted", report=replace(report, health=replace(health, **changed))))

    assert judge_gradients(runs("skipped")).state == "skipped"
    assert judge_gradients([*runs("skipped"), *runs("promoted", report=report)]).state == "ok"
    bad = judged(state="exploding", advice=("lower it",))
    assert (bad.state, bad.mend) == ("warning", "lower it")
    assert "MonitorGradientsVanishing" in judged(state="vanishing").mend


def test_a_live_skill_below_nothing_is_a_warning_once_it_says_something(overview):
    def judged(skill, scored=5000, instead=()):
        score: LiveScore = replace(overview.scores[0].score, skill=skill, scored=scored)
        return judge_skill([HorizonScore(300.0, score, 0, 0, None)], instead)

    assert judged(0.4).state == "ok"
    assert judged(-0.1).state == "warning"
    assert judged(-0.1, scored=10).state == "skipped"
    assert judged(None).state == "skipped"
    assert "persistence at 5m while calm" in judged(0.4, instead=[(300.0, "calm", "persistence")]).found
