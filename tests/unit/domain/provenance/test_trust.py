import json

from fairway.domain.provenance.statement import BILL, Build, Subject, provenance, statement
from fairway.domain.provenance.trust import Distrusted, Evidence, Trusted, TrustPolicy, judge

SOURCE = "https://github.com/acme/shop"
SUBJECT = Subject("shop", "sha256:" + "a" * 64, tree=True)
POLICY = TrustPolicy(("release",), (SOURCE,))


def evidence(*, subject=SUBJECT, signer="release", source=SOURCE, builder=None):
    build = Build(source, "c" * 40, "v1.0.0", {}, (), "rel-1/x", 0.0, 1.0, "0.1.0")
    found = json.loads(provenance(subject, build))
    if builder is not None:
        found["predicate"]["runDetails"]["builder"]["id"] = builder
    return Evidence(signer, ("b" * 64,), found)


def code_of(answer):
    assert isinstance(answer, Distrusted), answer
    return answer.code


def test_what_was_signed_by_a_trusted_key_from_an_allowed_source_is_believed():
    answer = judge(SUBJECT, [evidence()], POLICY)
    assert isinstance(answer, Trusted)
    assert (answer.signer, answer.source, answer.commit) == ("release", SOURCE, "c" * 40)


def test_what_nobody_signed_is_refused_as_unsigned():
    assert code_of(judge(SUBJECT, [], POLICY)) == "unsigned"


def test_a_bill_of_materials_is_no_provenance():
    bill = Evidence("release", (), json.loads(statement(SUBJECT, BILL, {})))
    assert code_of(judge(SUBJECT, [bill], POLICY)) == "unsigned"


def test_a_signature_of_another_key_is_refused_as_unknown_and_names_whose_it_says_it_is():
    answer = judge(SUBJECT, [evidence(signer=None)], POLICY)
    assert code_of(answer) == "unknown-key"
    assert "b" * 16 in answer.sentence


def test_a_provenance_of_other_bytes_is_refused_as_altered():
    other = Subject("shop", "sha256:" + "d" * 64, tree=True)
    assert code_of(judge(SUBJECT, [evidence(subject=other)], POLICY)) == "altered"


def test_the_digest_of_a_file_does_not_pass_for_that_of_a_folder():
    assert code_of(judge(SUBJECT, [evidence(subject=Subject("shop", SUBJECT.digest))], POLICY)) == "altered"


def test_another_repository_is_refused_and_named():
    answer = judge(SUBJECT, [evidence(source="https://github.com/mallory/shop")], POLICY)
    assert code_of(answer) == "source-refused"
    assert "mallory" in answer.sentence


def test_a_repository_whose_address_only_begins_like_an_allowed_one_is_refused():
    assert code_of(judge(SUBJECT, [evidence(source=SOURCE + "-evil")], POLICY)) == "source-refused"


def test_an_artifact_without_a_source_is_refused_where_one_is_demanded():
    assert code_of(judge(SUBJECT, [evidence(source="")], POLICY)) == "source-refused"
    assert isinstance(judge(SUBJECT, [evidence(source="")], TrustPolicy(("release",))), Trusted)


def test_another_builder_is_refused():
    assert code_of(judge(SUBJECT, [evidence(builder="urn:somebody")], TrustPolicy(("release",)))) == "source-refused"


def test_one_good_provenance_among_bad_ones_is_enough():
    bad = [evidence(signer=None), evidence(source="https://github.com/mallory/shop")]
    assert isinstance(judge(SUBJECT, [*bad, evidence()], POLICY), Trusted)
