"""What of a text is literal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.reading.expressions import Dynamic, Template, called, expression_of, literal_of

PLAIN = Template()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("default", ("default",)),
        ("", ()),
        ("@{body('x')}", (Dynamic("body('x')"),)),
        ("@body('x')?['y']", (Dynamic("body('x')?['y']"),)),
        ("a @{b} c", ("a ", Dynamic("b"), " c")),
        ("@{'it''s'}", ("it's",)),
        ("@{encodeURIComponent(encodeURIComponent('[dbo].[T]'))}", ("[dbo].[T]",)),
        ("@{encodeURIComponent(parameters('t'))}", (Dynamic("parameters('t')"),)),
        ("@concat('select ', body('a'), ' x')", ("select ", Dynamic("body('a')"), " x")),
        ("@{concat('a', 'b')}", ("ab",)),
        ("@@literal", ("@literal",)),
        ("@{if(equals(1, 2), '}', '{')}", (Dynamic("if(equals(1, 2), '}', '{')"),)),
        ("@{unclosed", ("@{unclosed",)),
        ("mail@contoso.example", ("mail@contoso.example",)),
        ("@concat('a', 'b')['c']", (Dynamic("concat('a', 'b')['c']"),)),
    ],
)
def test_a_text_falls_into_literal_and_dynamic_pieces(text, parts):
    assert PLAIN.parts(text) == parts


@pytest.mark.parametrize(
    ("expression", "call"),
    [
        ("f()", ("f", [])),
        ("F('a,b', g(1, 2))", ("f", ["'a,b'", " g(1, 2)"])),
        ("f('it''s', 'x')", ("f", ["'it''s'", " 'x'"])),
        ("f(a)[0]", None),
        ("f(a", None),
        ("name", None),
        ("f(')')", ("f", ["')'"])),
    ],
)
def test_only_a_whole_expression_is_a_call(expression, call):
    assert called(expression) == call


def test_a_template_fills_in_what_its_text_settles():
    template = Template({"variables": {"quote": "'"}, "parameters": {"table": {"type": "string"}}})

    parts = template.parts(
        "[concat('@{encodeURIComponent(', variables('quote'), 'T', variables('quote'), ')}')]"
    )

    assert parts == ("T",)


def test_what_a_template_takes_as_a_parameter_stays_dynamic_though_it_has_a_default():
    template = Template({"parameters": {"table": {"defaultValue": "[dbo].[T]"}}})

    parts = template.parts("[concat('@{encodeURIComponent(''', parameters('table'), ''')}')]")

    assert parts == (Dynamic("parameters('table')"),)


def test_a_parameter_that_is_a_lone_quote_is_punctuation():
    template = Template({"parameters": {"__apostrophe": {"defaultValue": "'"}, "t": {}}})

    parts = template.parts(
        "[concat('@{encodeURIComponent(', parameters('__apostrophe'), parameters('t'), parameters('__apostrophe'), ')}')]"
    )

    assert parts == (Dynamic("parameters('t')"),)


def test_a_template_formats():
    template = Template({"variables": {"schema": "dbo"}})

    assert template.parts("[format('{{{0}}}.{1}', variables('schema'), parameters('t'))]") == (
        "{dbo}.",
        Dynamic("parameters('t')"),
    )


def test_a_doubled_bracket_in_a_template_is_one():
    assert Template({"resources": []}).parts("[[dbo].[T]") == ("[dbo].[T]",)


def test_a_name_in_brackets_is_no_template_expression():
    assert Template({"resources": []}).parts("[dbo].[T]") == ("[dbo].[T]",)


def test_defaults_tell_which_connector_is_meant():
    template = Template({"parameters": {"api": {"defaultValue": "sql"}}})

    assert template.with_defaults("[concat('/managedApis/', parameters('api'))]") == "/managedApis/sql"
    assert (
        template.with_defaults("[subscriptionResourceId('x/managedApis', 'y', 'sql')]")
        == "x/managedApis/y/sql"
    )


def test_calls_nested_without_end_are_dynamic():
    assert PLAIN.parts("@" + "concat(" * 3000 + "'a'" + ")" * 3000) != ("a",)


@given(st.text(alphabet="@{}'()[],ab$.? ", max_size=60))
def test_any_text_can_be_read(text):
    parts = PLAIN.parts(text)

    assert literal_of(parts) is None or isinstance(literal_of(parts), str)
    assert isinstance(expression_of(parts), str)
