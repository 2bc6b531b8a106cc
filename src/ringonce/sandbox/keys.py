"""Public keys that clients register, to sign assertions with their other halves."""

from typing import TYPE_CHECKING, Final

from ringonce.sandbox.trouble import SandboxError

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

SMALLEST_RSA: Final = 2_048
FIX: Final = "Give the public half in PEM, as `openssl pkey -in key.pem -pubout` prints it."


def read_key(pem: str) -> "RSAKey | ECKey":
    """A public key in PEM: P-256, or RSA from 2,048 bits; `SandboxError` for anything else."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from joserfc.jwk import ECKey, RSAKey

    if "PRIVATE KEY" in pem:
        why = "it is a private key, which stays with its owner"
        raise SandboxError("publicKey was not taken", why=why, fix=FIX)
    try:
        key = load_pem_public_key(pem.encode())
    except Exception as wrong:  # what it raises depends on the key: ValueError, UnsupportedAlgorithm and others
        raise SandboxError("publicKey was not taken", why="it is no public key in PEM", fix=FIX) from wrong
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return ECKey.import_key(pem)
    if isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_RSA:
        return RSAKey.import_key(pem)
    kind = f"RSA of {key.key_size} bits" if isinstance(key, RSAPublicKey) else type(key).__name__
    why = f"it is {kind}; ES256 takes a P-256 key, and RS256 RSA from {SMALLEST_RSA} bits"
    raise SandboxError("publicKey was not taken", why=why, fix="Make a key of that kind.")
