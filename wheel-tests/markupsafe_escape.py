# wheels: markupsafe==3.0.3
"""MarkupSafe: its C speedups escape as its Python code does."""

from markupsafe import Markup, _native, _speedups, escape

texts = ["", "plain", "<b>&'\"</b>", "é<ü", "漢字 & kana", "\U0001f600<", "&" * 1000]
for text in texts:
    fast = _speedups._escape_inner(text)
    assert fast == _native._escape_inner(text), text
    print(ascii(fast[:60]), len(fast))
assert _speedups.__file__.endswith(".so")


class HasHtml:
    def __html__(self):
        return "<i>own</i>"


print(escape(HasHtml()), escape(3), escape(None), escape(Markup("<u>")))
print(Markup("<em>%s</em> {}") % "<x>")
print(Markup("<em>{0}{a}</em>").format("<x>", a=Markup("<br>")))
print(repr(Markup(" &lt;a&gt; ").unescape()), repr(Markup("<p>a <b>b</b></p>").striptags()))
print(repr(Markup("-").join(["<", Markup(">")])), type(Markup("a") + "b").__name__)
