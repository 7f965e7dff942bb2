import pytest

from snaketorch.tracking.address import fingerprint, scrub, shown, tracking_uri

SECRETS = ("hunter2", "p/w", "p#w", "p@ss", "p:w", "p%40w", "a b", "12345")


@pytest.fixture(autouse=True)
def no_address(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "SNAKETORCH_TRACKING_URI", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_without_an_address_runs_go_to_a_file_in_the_results(tmp_path):
    assert tracking_uri() == f"sqlite:///{tmp_path}/results/mlflow.db"


def test_the_users_environment_goes_before_the_studys_configuration(monkeypatch):
    monkeypatch.setenv("SNAKETORCH_TRACKING_URI", "http://study:5000")
    assert tracking_uri() == "http://study:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:5000")
    assert tracking_uri() == "http://user:5000"


def test_a_relative_database_is_the_same_place_from_everywhere(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///team.db")
    assert tracking_uri() == f"sqlite:///{tmp_path}/team.db"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", ["http://host:5000/mlflow", "https://[::1]:5000", "postgresql://host/db"])
def test_an_address_is_shown_without_user_and_password(secret, place):
    uri = place.replace("://", f"://anna:{secret}@")
    assert shown(uri) == place
    assert shown(uri + "?sslpassword=x") == place


@pytest.mark.parametrize(
    "uri",
    ["http://host", "http://host:5000/a@b", "http://[::1]:5000/x", "sqlite:////home/a@b/mlflow.db", "databricks"],
)
def test_an_address_without_credentials_is_shown_as_it_is(uri):
    assert shown(uri) == uri


def test_the_fingerprint_is_that_of_the_place_not_of_the_login():
    assert fingerprint("http://anna:a@host:1/") == fingerprint("http://bert:b@host:1")
    assert fingerprint("http://host:1") != fingerprint("http://host:2")


@pytest.mark.parametrize("secret", SECRETS)
def test_no_form_of_a_password_is_left_in_a_message(secret):
    from urllib.parse import unquote

    uri = f"http://anna:{secret}@host:5000"
    text = scrub(f"calling {uri}/api as anna:{secret} with {secret} or {unquote(secret)} failed", uri)
    assert secret not in text
    assert unquote(secret) not in text
    assert text.startswith("calling http://host:5000/api as")


def test_secrets_from_the_environment_and_tokens_are_hidden_too(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok-1")
    assert scrub("bearer tok-1 and tok-2", "http://tok-2@host") == "bearer *** and ***"
