"""Signed PDFs: with a file and with a token, checked here and by poppler."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "report"))

from sample_results import clean_results

from auditor.cli import main
from auditor.errors import InvalidInput
from auditor.report.pdf import render_pdf
from auditor.report.results_json import results_bytes, write_results
from auditor.report.signature import check_signatures, is_signed, open_key, read_roots, sign_pdf

pytestmark = pytest.mark.pdf

SOFTHSM = next((p for p in Path("/usr/lib").glob("**/softhsm/libsofthsm2.so")), None)
PASSPHRASE = b"correct horse"


def certificate(key, name="Auditor, signing"):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Return a folder with signer.p12, its certificate and another root; made for these tests alone."""
    folder = tmp_path_factory.mktemp("keys")
    key = ec.generate_private_key(ec.SECP256R1())
    cert = certificate(key)
    locked = serialization.BestAvailableEncryption(PASSPHRASE)
    (folder / "signer.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"signer", key, cert, None, locked))
    (folder / "root.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    other = certificate(ec.generate_private_key(ec.SECP256R1()), "Somebody else")
    (folder / "other.pem").write_bytes(other.public_bytes(serialization.Encoding.PEM))
    return folder


@pytest.fixture(scope="module")
def pdf():
    return render_pdf(results_bytes(clean_results()))


@pytest.fixture(scope="module")
def signed(pdf, keys):
    return sign_pdf(pdf, open_key(str(keys / "signer.p12"), PASSPHRASE))


@pytest.fixture
def run(tmp_path, keys, monkeypatch, capsys):
    """Render a signed report with the command line, and return its folder."""
    write_results(clean_results(), tmp_path / "results.json")
    monkeypatch.setenv("SIGN_PASSPHRASE", PASSPHRASE.decode())
    code, out, _ = auditor(
        monkeypatch, capsys, "report", tmp_path / "results.json", "-o", tmp_path / "runs", "-f", "json,pdf",
        "--sign", keys / "signer.p12", "--sign-passphrase", "env:SIGN_PASSPHRASE",
    )
    assert code == 0
    return Path(out.strip())


def auditor(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["auditor", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


def test_a_signature_covers_the_whole_file_and_leaves_it_as_it_was(pdf, signed, keys):
    assert signed.startswith(pdf)
    assert not is_signed(pdf)
    assert is_signed(signed)
    (status,) = check_signatures(signed, read_roots(keys / "root.pem"))
    assert status.is_sound
    assert status.is_trusted
    assert "Auditor" in status.signer
    assert check_signatures(signed)[0].is_trusted is None


def test_another_root_does_not_trust_it(signed, keys):
    (status,) = check_signatures(signed, read_roots(keys / "other.pem"))
    assert status.is_sound
    assert not status.is_trusted


@pytest.mark.parametrize("how", ["flip", "append"])
def test_a_change_is_found(signed, how):
    place = signed.index(b"/Title")
    changed = signed[:place] + b"/TitlE" + signed[place + 6 :] if how == "flip" else signed + b"\n% more"
    assert not check_signatures(changed)[0].is_sound


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils is not installed")
def test_another_program_finds_it_valid(signed, tmp_path):
    (tmp_path / "signed.pdf").write_bytes(signed)
    told = subprocess.run(
        ["pdfsig", "-nocert", tmp_path / "signed.pdf"], capture_output=True, text=True, check=False
    ).stdout
    assert "ETSI.CAdES.detached" in told
    assert "Signature is Valid" in told
    assert "Total document signed" in told


def test_the_command_signs_and_verify_checks(run, keys, monkeypatch, capsys):
    code, out, err = auditor(monkeypatch, capsys, "verify", run, "--trust", keys / "root.pem")
    assert (code, out) == (0, "")
    assert "report.pdf: signed" in err
    assert ", trusted;" in err
    code, out, _ = auditor(monkeypatch, capsys, "verify", run, "--trust", keys / "other.pem")
    assert code == 1
    assert "is not trusted" in out
    code, _, err = auditor(monkeypatch, capsys, "verify", run)
    assert code == 0
    assert "checked against no root" in err


def test_verify_tells_an_altered_file_even_if_its_digest_was_made_to_fit(run, keys, monkeypatch, capsys):
    path = run / "report.pdf"
    content = path.read_bytes()
    place = content.index(b"/Title")
    path.write_bytes(content[:place] + b"/TitlE" + content[place + 6 :])
    manifest = json.loads((run / "manifest.json").read_text())
    for entry in manifest["files"]:
        if entry["path"] == "report.pdf":
            entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (run / "manifest.json").write_text(json.dumps(manifest))
    code, out, _ = auditor(monkeypatch, capsys, "verify", run)
    assert (code, out) == (1, "report.pdf: its signature does not fit its content\n")


def test_with_a_root_an_unsigned_or_broken_pdf_is_a_difference(tmp_path, keys, monkeypatch, capsys):
    write_results(clean_results(), tmp_path / "results.json")
    _, out, _ = auditor(
        monkeypatch, capsys, "report", tmp_path / "results.json", "-o", tmp_path / "runs", "-f", "json,pdf"
    )
    run = Path(out.strip())
    code, out, _ = auditor(monkeypatch, capsys, "verify", run, "--trust", keys / "root.pem")
    assert (code, out) == (1, "report.pdf: is not signed\n")
    assert auditor(monkeypatch, capsys, "verify", run)[0] == 0
    (run / "report.pdf").write_bytes(b"%PDF-")
    code, out, _ = auditor(monkeypatch, capsys, "verify", run)
    assert code == 1
    assert "report.pdf: is no readable PDF" in out


def test_what_cannot_sign_is_refused_before_anything_is_done(tmp_path, keys, monkeypatch, capsys):
    monkeypatch.setenv("WRONG", "wrong")
    (tmp_path / "no.p12").write_bytes(b"no")
    for arguments, told in (
        (["--sign", tmp_path / "absent.p12"], "cannot be read"),
        (["--sign", tmp_path / "no.p12"], "cannot be opened"),
        (["--sign", keys / "signer.p12", "--sign-passphrase", "env:WRONG"], "cannot be opened"),
        (["--sign", keys / "signer.p12", "--sign-passphrase", "correct horse"], "never the secret itself"),
        (["--sign", keys / "signer.p12", "--sign-passphrase", "env:NOT_SET_ANYWHERE"], "is not set"),
        (["--sign", keys / "signer.p12", "-f", "html"], "there is no PDF to sign"),
        (["--sign-passphrase", "env:WRONG"], "there is no key it opens"),
        (["--sign", "pkcs11:token=t"], "names no module-path, object"),
        (["--sign", "pkcs11:token=t;object=o?module-path=/nowhere.so"], "the token cannot be used"),
    ):
        code, out, err = auditor(
            monkeypatch, capsys, "report", tmp_path / "results.json", "-o", tmp_path / "runs", *arguments
        )
        assert (code, out) == (2, "")
        assert told in err
        assert "correct horse" not in err
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(SOFTHSM is None, reason="softhsm2 is not installed")
def test_a_token_signs_too(tmp_path, pdf, monkeypatch):
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "audit", "--pin", "1234", "--so-pin", "5678"],
        check=True, capture_output=True, env=os.environ,
    )
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    cert = certificate(key)
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    subprocess.run(
        ["softhsm2-util", "--import", tmp_path / "key.pem", "--token", "audit", "--label", "signer", "--id", "01",
         "--pin", "1234"],
        check=True, capture_output=True, env=os.environ,
    )
    token = pkcs11.lib(str(SOFTHSM)).get_token(token_label="audit")
    with token.open(rw=True, user_pin="1234") as session:
        session.create_object(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                pkcs11.Attribute.TOKEN: True,
                pkcs11.Attribute.LABEL: "signer",
                pkcs11.Attribute.ID: b"\x01",
                pkcs11.Attribute.SUBJECT: cert.subject.public_bytes(),
                pkcs11.Attribute.VALUE: cert.public_bytes(serialization.Encoding.DER),
            }
        )
    uri = f"pkcs11:token=audit;object=signer?module-path={SOFTHSM}"
    signer = open_key(uri, b"1234")
    (status,) = check_signatures(sign_pdf(pdf, signer))
    assert status.is_sound
    with pytest.raises(InvalidInput, match="the token cannot be used"):
        open_key(uri, b"9999")
