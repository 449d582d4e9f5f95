"""Tax ids: what the number of a business looks like, by the authority that gave it, and what becomes of its check.

The types of a country that are in no row are taken as they come. https://docs.stripe.com/billing/customer/tax-ids
"""

from __future__ import annotations

import re
from typing import Final

# A European VAT number begins with its country; Greece and Northern Ireland have letters of their own.
_EU_COUNTRIES: Final = "AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI"
_EU_NAMES: Final = {"EL": "GR", "XI": "GB"}
_EU_VAT: Final = {
    "AT": r"U\d{8}", "BE": r"[01]?\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}", "DE": r"\d{9}",
    "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]", "FI": r"\d{8}",
    "FR": r"[A-Z0-9]{2}\d{9}", "HR": r"\d{11}", "HU": r"\d{8}", "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}", "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})", "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}", "NL": r"\d{9}B\d{2}", "PL": r"\d{10}",
    "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{12}", "SI": r"\d{8}", "SK": r"\d{10}",
    "XI": r"(\d{9}|\d{12}|(GD|HA)\d{3})",
}  # fmt: skip

_FORMATS: Final = {
    "ae_trn": r"\d{15}",
    "au_abn": r"\d{11}",
    "au_arn": r"\d{12}",
    "br_cnpj": r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}",
    "br_cpf": r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}",
    "ca_bn": r"\d{9}",
    "ca_gst_hst": r"\d{9}RT\d{4}",
    "ca_qst": r"\d{10}TQ\d{4}",
    "ch_uid": r"CHE-?\d{3}\.?\d{3}\.?\d{3}( ?(HR|MWST|TVA|IVA))?",
    "ch_vat": r"CHE-?\d{3}\.?\d{3}\.?\d{3} ?(MWST|TVA|IVA)",
    "cl_tin": r"\d{2}\.?\d{3}\.?\d{3}-?[0-9K]",
    "de_stn": r"\d{10,13}",
    "es_cif": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "eu_oss_vat": r"EU\d{9}",
    "eu_vat": "|".join(f"{country}{number}" for country, number in _EU_VAT.items()),
    "gb_vat": r"GB(\d{9}|\d{12}|(GD|HA)\d{3})",
    "hk_br": r"\d{8}",
    "hu_tin": r"\d{8}-?\d-?\d{2}",
    "id_npwp": r"[\d.-]{15,20}",
    "il_vat": r"\d{9}",
    "in_gst": r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]",
    "is_vat": r"\d{5,6}",
    "jp_cn": r"\d{13}",
    "jp_rn": r"\d{5}",
    "jp_trn": r"T\d{13}",
    "kr_brn": r"\d{3}-?\d{2}-?\d{5}",
    "li_uid": r"CHE\d{9}",
    "mx_rfc": r"[A-Z&Ñ]{3,4}\d{6}[A-Z0-9]{3}",
    "my_sst": r"[A-Z]\d{2}-?\d{4}-?\d{8}",
    "no_vat": r"\d{9}MVA",
    "nz_gst": r"\d{8,9}",
    "ph_tin": r"\d{9}|\d{12}",
    "ru_inn": r"\d{10}|\d{12}",
    "sa_vat": r"\d{15}",
    "sg_gst": r"M\d{8}[A-Z]",
    "sg_uen": r"\d{8,9}[A-Z]|[A-Z]\d{2}[A-Z]{2}\d{4}[A-Z]",
    "th_vat": r"\d{13}",
    "tr_tin": r"\d{10}",
    "tw_vat": r"\d{8}",
    "ua_vat": r"\d{12}",
    "us_ein": r"\d{2}-?\d{7}",
    "za_vat": r"4\d{9}",
}

# These are checked with their authority; a number of nine equal digits says how that goes.
_CHECKED: Final = frozenset({"au_abn", "eu_vat", "gb_vat"})
_MAGIC: Final = {"000000000": "verified", "111111111": "unverified", "222222222": "pending"}

# What nobody could be asked about.
UNAVAILABLE: Final = "unavailable"


def is_valid(kind: str, value: str) -> bool:
    """Whether a number looks like one of its type."""
    if not value.strip():
        return False
    if is_checked(kind) and value in _MAGIC:
        return True
    known = _FORMATS.get(kind)
    return known is None or re.fullmatch(known, value.replace(" ", "").upper()) is not None


def is_checked(kind: str) -> bool:
    """Whether an authority is asked for numbers of this type."""
    return kind in _CHECKED


def verdict(value: str) -> str:
    """What the check of a number ends with. No authority is asked here: but for the numbers made for it, it cannot."""
    return _MAGIC.get(value, UNAVAILABLE)


def country(kind: str, value: str) -> str | None:
    """The country a number is from."""
    if kind == "eu_oss_vat":
        return None
    if kind != "eu_vat":
        return kind[:2].upper()
    start = value[:2].upper()
    return _EU_NAMES.get(start, start) if start in _EU_COUNTRIES.split() else None
