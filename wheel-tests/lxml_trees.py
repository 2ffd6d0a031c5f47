# wheels: lxml==6.1.3
"""lxml: Cython over libxml2, with proxies that live and die with the tree's nodes."""
import gc
import io

from lxml import etree, html, objectify

text = b"""<?xml version="1.0" encoding="utf-8"?>
<catalog xmlns:x="urn:x"><!-- a comment -->
  <book id="1" x:lang="en"><title>First</title><price>10.5</price></book>
  <book id="2"><title>Zw\xc3\xb6lf</title><price>7</price>tail</book>
  <?target data?>
</catalog>"""
root = etree.fromstring(text)
print(root.tag, root.nsmap, [child.tag if isinstance(child.tag, str) else child.tag.__name__ for child in root])
for book in root.iterfind("book"):
    print(book.get("id"), dict(book.attrib), book.findtext("title"), float(book.find("price").text), repr(book[-1].tail))
print(root.xpath("//book[price > 8]/title/text()"), root.xpath("count(//book)"), root.xpath("string(//title)"))
print(root.xpath("//book[@x:lang=$lang]/@id", namespaces={"x": "urn:x"}, lang="en"))
book = root[1]
book.set("new", "value")
etree.SubElement(book, "{urn:y}extra", attrib={"k": "v"}).text = "a < b & c"
print(etree.tostring(book, encoding="unicode", with_tail=False))
print(etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="ascii")[:60])
copy = etree.ElementTree(root)
out = io.BytesIO()
copy.write_c14n(out)
print(len(out.getvalue()) > 100, copy.getpath(book), copy.docinfo.encoding, copy.docinfo.xml_version)
del root, copy
gc.collect()
print(book.getparent().tag, book.getroottree().getroot().tag)
for event, element in etree.iterparse(io.BytesIO(text), events=("start", "end"), tag="book"):
    print(event, element.get("id"), len(element))


class Target:
    def __init__(self):
        self.events = []

    def start(self, tag, attrib):
        self.events.append(("start", tag, dict(attrib)))

    def end(self, tag):
        self.events.append(("end", tag))

    def data(self, data):
        self.events.append(("data", data))

    def close(self):
        return self.events


print(etree.XML("<a k='1'>t<b/>u</a>", etree.XMLParser(target=Target())))
try:
    etree.fromstring("<a><b></a>")
except etree.XMLSyntaxError as error:
    print(error.msg, error.position)
sheet = etree.XSLT(etree.XML("""<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:param name="p"/><xsl:template match="/"><r><xsl:value-of select="$p"/><xsl:for-each select="//i"><v><xsl:value-of select=". * 2"/></v>
</xsl:for-each></r></xsl:template></xsl:stylesheet>"""))
print(str(sheet(etree.XML("<l><i>1</i><i>21</i></l>"), p="'q'")).strip())
schema = etree.RelaxNG(etree.XML("""<element name="a" xmlns="http://relaxng.org/ns/structure/1.0"><oneOrMore><element name="b"><text/>
</element></oneOrMore></element>"""))
print(schema.validate(etree.XML("<a><b>1</b></a>")), schema.validate(etree.XML("<a/>")))
functions = etree.FunctionNamespace("urn:f")
functions["double"] = lambda context, value: value * 2
print(etree.XPath("f:double(21)", namespaces={"f": "urn:f"})(etree.XML("<a/>")))
page = html.fromstring("<p class='x y'>Hello <b>bold<br>text</p><a href='/l?q=1'>link</a>")
print(html.tostring(page).decode(), [link for _, _, link, _ in page.iterlinks()])
page.make_links_absolute("http://e.org/")
print(page.find(".//a").get("href"), page.text_content())


class Custom(etree.ElementBase):
    @property
    def shout(self):
        return self.text.upper()


lookup = etree.ElementNamespaceClassLookup()
lookup.get_namespace(None)["loud"] = Custom
parser = etree.XMLParser()
parser.set_element_class_lookup(lookup)
print(etree.XML("<r><loud>hey</loud></r>", parser)[0].shout)
data = objectify.fromstring("<d><n>3</n><f>2.5</f><s>str</s><l>1</l><l>2</l></d>")
print(data.n + 1, data.f * 2, data.s, [int(item) for item in data.l], type(data.n).__name__)
with etree.xmlfile(out := io.BytesIO(), encoding="utf-8") as writer:
    with writer.element("root", k="v"):
        for n in range(3):
            writer.write(etree.Element("item", n=str(n)))
print(out.getvalue().decode())
