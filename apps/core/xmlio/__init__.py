"""XML in and out: the same documents as JSON, in another spelling (docs/formats.md shows it)."""

from apps.core.xmlio.plain import NotPlain, write_plain_xml
from apps.core.xmlio.reading import read_xml, read_xml_items
from apps.core.xmlio.writing import write_xml

__all__ = ["NotPlain", "read_xml", "read_xml_items", "write_plain_xml", "write_xml"]
