"""Names of columns, in the languages in which spreadsheets and exports have them, by what the columns hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from unicodedata import normalize

_NO_ACCENTS = dict.fromkeys((*range(0x300, 0x370), 0x3099, 0x309A))
"""What NFKD parts from letters."""
_HEADING = 100
"""Characters of a heading that are read."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(normalize("NFKD", text).translate(_NO_ACCENTS).split())


_SUBNET_WORDS = """
    prefixflat subnetid subnet subnets prefix cidr ipv4cidr ipprefix network networkip networkaddress networkid networks
    ipnetwork ipsubnet range address addressblock ip netz netzwerk subnetz teilnetz réseau reseau sousréseau red subred
    rete sottorete rede subrede nät delnät netwerk podsieć sieć aliverkko verkko сеть подсеть ipnetz ipadresse
    netzadresse adresseréseau adresseip direcciónip direccióndered indirizzoip indirizzodirete endereçoip endereçoderede
    netwerkadres nettverk subnett undernet netværk podsíť síť alhálózat hálózat altağ ağ підмережа мережа υποδίκτυο
    δίκτυο
    サブネット ネットワーク 子网 网络 网段 子網 網路 서브넷 네트워크 name cn identity
"""
_MASK_WORDS = """
    maskbits mask netmask subnetmask networkmask networkrange bits prefixlength prefixlen masklength length bitmask
    cidr cidrlength cidrsuffix suffix prefix subnetzmaske netzmaske netzwerkmaske maske maskenlänge maskenbits
    bitmaske präfixlänge praefixlaenge präfix praefix masque masqueréseau masquederéseau masquesousréseau
    masquedesousréseau longueurdupréfixe longueurpréfixe máscara mascara máscaradered máscaradesubred
    longituddelprefijo máscaraderede máscaradesubrede maschera mascheradirete mascheradisottorete lunghezzaprefisso
    lunghezzadelprefisso netmasker subnetmasker prefixlengte nätmask subnätmask prefixlängd maska maskasieci
    maskapodsieci długośćprefiksu verkkopeite aliverkonpeite маска маскасети маскаподсети
"""
_SITE_WORDS = """
    site sitename siteobject networksiteid networksite siteid scope scopename easite building buildingname location
    locationcode locationname eabuilding ealocation loc
    standort ort niederlassung gebäude lieu emplacement sitio ubicación sede
    sito luogo local plats locatie lokalizacja place office campus section standortname agence établissement oficina
    sucursal ufficio filiale unidade filial localização vestiging kantoor lokalita pobočka umístění placering lokation
    lokasjon sted kontor toimipiste sijainti telephely helyszín konum yer площадка место офис місце майданчик τοποθεσία
    拠点 サイト 場所 站点 站點 位置 地点 地點 사이트 위치 지점 الموقع אתר
"""
SUBNETS, MASKS, SITES = map(_words, (_SUBNET_WORDS, _MASK_WORDS, _SITE_WORDS))
"""Headings, the surest first, as `heading_key` has them."""
OVERFLOW = _words("overflow pover sover primaryoverflow secondaryoverflow überlauf débordement")
"""How the headings of overflow locations begin."""
STATES = ("status", "state", "zustand", "statut", "estado", "stato")
KINDS = ("objecttype", "type", "kind", "isfolder")
VRFS = ("vrf", "vrfname", "vrfid", "networkview", "configuration", "routingdomain", "routinginstance")
READ = frozenset((*SUBNETS, *MASKS, *SITES, *STATES, *VRFS))
_TOTAL_WORDS = """
    total totals subtotal sum count summe gesamt gesamtsumme insgesamt anzahl somme totale totaal som suma razem summa
    yhteensä soma итого всего
"""
TOTALS = frozenset(_words(_TOTAL_WORDS))
"""How a row below a table begins that sums it up."""
STARTS = ("startaddress", "startip", "start", "firstaddress", "firstip", "first", "from", "rangestart", "begin", "von")
ENDS = ("endaddress", "endip", "end", "lastaddress", "lastip", "last", "to", "rangeend", "bis")
"""Headings of the first and the last address of a range."""
COUNTRIES = ("country", "countrycode", "countryisocode", "countryname", "cc", "land", "pays")


def heading_key(heading: str) -> str:
    """A heading without space, signs, accents and case."""
    text = heading if heading.isascii() else normalize("NFKD", heading[:_HEADING]).translate(_NO_ACCENTS)
    return re.sub(r"[\W_]+", "", text).casefold()


def columns_named(plain: Sequence[str], names: Sequence[str]) -> Iterator[int]:
    """The columns with one of these names, in the order of the names."""
    return (at for name in names for at, heading in enumerate(plain) if heading == name)
