"""What a real server of two processes tells of itself while it is used and misused: metrics, and a log in JSON."""

from __future__ import annotations

from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.observed_run import Run, observed_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return observed_run(tmp_path_factory.mktemp("observed"))


@pytest.fixture(scope="module")
def samples(run: Run) -> dict[str, dict[tuple[str, ...], float]]:
    """The metrics as Prometheus reads them: values by labels by name."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(run.metrics):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_no_secret_of_a_run_stands_in_its_log_or_metrics(run: Run) -> None:
    told = run.log + run.metrics

    assert len(run.issued) > 15
    assert [secret for secret in run.issued if secret in told] == []


def test_no_part_of_a_secret_either(run: Run) -> None:
    told = run.log + run.metrics

    assert [part for secret in run.issued for part in secret.split(".") if len(part) > 12 and part in told] == []


def test_every_line_of_the_log_is_json(run: Run) -> None:
    lines = run.log.splitlines()

    assert len(run.lines) == len(lines) - 1, "all but what the command says itself"
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in run.lines)
    assert {line["message"] for line in run.lines} >= {"answering requests", "told to stop"}


def test_a_theft_is_logged_with_its_request_and_no_ordinary_request_is(run: Run) -> None:
    told = [line for line in run.lines if line["level"] != "info" and "weaker by choice" not in line["message"]]

    assert [(line["reason"], line["client_id"], line["level"]) for line in told] == [("reused", "public", "warning")]
    assert told[0]["request_id"] == run.request_ids[-2]
    assert told[0]["grant_id"]


def test_each_request_has_an_id_of_its_own(run: Run) -> None:
    assert Counter(map(len, run.request_ids)) == {16: len(set(run.request_ids))}


def test_requests_are_counted_over_all_processes(samples: dict[str, dict[tuple[str, ...], float]]) -> None:
    requests = samples["everbearer_requests_total"]

    assert requests["/oauth2/token", "POST", "200", ""] == 4
    assert requests["/oauth2/token", "POST", "400", "invalid_grant"] == 2
    assert requests["/oauth2/token", "POST", "401", "invalid_client"] == 2
    assert requests["/oauth2/token", "POST", "413", "invalid_request"] == 1
    assert requests["other", "GET", "404", "not_found"] == 1
    assert samples["everbearer_request_seconds_count"]["/oauth2/token",] == 9
    assert samples["everbearer_workers"][()] == 2


def test_refreshes_are_counted_by_outcome(samples: dict[str, dict[tuple[str, ...], float]]) -> None:
    assert samples["everbearer_refreshes_total"] == {
        ("rotated", ""): 2,
        ("retried", ""): 1,
        ("refused", "reused"): 1,
        ("refused", "not authentic"): 1,
    }


def test_who_was_not_let_in_is_counted(samples: dict[str, dict[tuple[str, ...], float]]) -> None:
    assert samples["everbearer_client_authentication_failures_total"] == {("known",): 1, ("unknown",): 1}
    assert samples["everbearer_sign_ins_total"] == {("signed_in",): 1, ("wrong",): 1}


def test_writes_and_processes_are_told(samples: dict[str, dict[tuple[str, ...], float]]) -> None:
    assert samples["everbearer_store_write_verbs_sum"][()] >= samples["everbearer_store_write_verbs_count"][()] > 5
    assert samples["everbearer_store_write_seconds_count"][()] == samples["everbearer_store_write_verbs_count"][()]
    assert 0 <= samples["everbearer_signing_key_age_seconds"]["ES256",] < 60
    assert samples["everbearer_resident_memory_bytes"][()] > 20_000_000
    assert samples["everbearer_password_pool_under_way"][()] == 0


def test_no_client_user_or_path_that_somebody_made_up_is_a_label(run: Run) -> None:
    assert [name for name in ("nobody", "machine", "ada", "inventedBy") if name in run.metrics] == []
