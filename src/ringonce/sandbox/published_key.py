"""The key pair that `your_client_id` signs JWT assertions with. It is published: a test key, and no secret at all.

It is a P-256 key made from the SHA-256 of "ringonce sandbox: a published test key, not a secret".
"""

from typing import Final

PUBLISHED_PRIVATE_KEY: Final = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+beUiUEeWY1t1DUh
xolbk0Ljn1BE3oP1GGThTtDLpOKhRANCAARw79KbGkHAifRUbb/rT+FuUpR6wQt+
98lUDELVidaMpewrU7Qen+z6rgIvJR35YNC/gGZWMJCnsi82hDD+a1ky
-----END PRIVATE KEY-----
"""

PUBLISHED_PUBLIC_KEY: Final = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcO/SmxpBwIn0VG2/60/hblKUesEL
fvfJVAxC1YnWjKXsK1O0Hp/s+q4CLyUd+WDQv4BmVjCQp7IvNoQw/mtZMg==
-----END PUBLIC KEY-----
"""
