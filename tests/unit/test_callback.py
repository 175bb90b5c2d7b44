"""Callback addresses: who can make one, and what it says."""

from generation.callback import callback_url, job_called, token

SECRET = b"s" * 32
JOB = "job_01KG9Q2Z6M8T4V7X1Y3A5C7E9G"


def test_an_address_leads_to_its_job_and_to_no_other() -> None:
    address = callback_url("https://genq.example", JOB, SECRET)
    begin, _, given = address.rpartition("/")
    assert begin == "https://genq.example/v1/callbacks"
    assert job_called(given, SECRET) == JOB
    other = JOB.replace("9G", "9H")
    assert job_called(given.replace(JOB, other), SECRET) is None
    assert token(JOB, SECRET) != token(other, SECRET).replace(other, JOB)


def test_nothing_else_passes() -> None:
    given = token(JOB, SECRET)
    forged = [JOB, f"{JOB}.", given[:-1], given + "x", given.upper(), "", ".", "猫.猫"]
    assert [job_called(text, SECRET) for text in forged] == [None] * len(forged)
    assert job_called(given, b"t" * 32) is None, "another deployment's"


def test_an_address_fits_where_addresses_go() -> None:
    assert len(token(JOB, SECRET)) < 70
    assert token(JOB, SECRET).replace("-", "").replace("_", "").replace(".", "").isalnum()
