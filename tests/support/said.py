"""What the modules of the program say to people, and whether a catalogue of translations can reach it."""

import ast
import re
from contextlib import contextmanager

LETTER = re.compile(r"[^\W\d_]")
# Their first arguments, so many, are literals, which a catalogue has.
MARKERS = {"_": 1, "gettext": 1, "gettext_lazy": 1} | {
    f"{kind}gettext{lazy}": texts for kind, texts in {"n": 2, "p": 2, "np": 3}.items() for lazy in ("", "_lazy")
}
# People read what has one of these names, or stands at this place among the arguments of one of these calls, be it only
# a word in small letters.
READ_NAMES = {
    "caption", "choices", "empty_label", "empty_text", "error_messages", "heading", "help_text", "help_texts", "label",
    "labels", "nothing_text", "title", "verbose_name", "violation_error_message",
}  # fmt: skip
READ_ARGUMENTS = {
    "AgesChart": 0, "Badge": 2, "Choice": 1, "FacetValue": 1, "NotKept": 0, "NumberColumn": 0, "ValidationError": 0,
    "WeeksChart": 0, "_column": 1, "_name": 0, "add_error": 1, "error": 1, "info": 1, "success": 1, "warning": 1,
}  # fmt: skip
# What is said here is for programmers.
TECHNICAL_NAMES = {"__all__", "verbose_name_plural"}
TECHNICAL_CALLS = {"ForeignKey", "Http404", "ProviderException", "TypeError", "get_model"}


class Said(ast.NodeVisitor):
    """What a module says to people past gettext."""

    def __init__(self, source):
        self.found, self.marked, self.is_read = [], [], False
        self.visit(ast.parse(source))

    @contextmanager
    def reading(self, is_read):
        """Within: whether every word is read by people, and not only what looks like a text."""
        before, self.is_read = self.is_read, is_read
        yield
        self.is_read = before

    def look(self, *nodes, read=False):
        with self.reading(read):
            for node in filter(None, nodes):
                self.visit(node)

    def visit_Constant(self, node):
        text = node.value if isinstance(node.value, str) else ""
        if LETTER.search(text) and (self.is_read or re.search(r"\s|^\W*[A-Z]", text)):
            self.found.append(text)

    def visit_Expr(self, node):
        """A string alone is documentation."""
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_FunctionDef(self, node):
        if node.name not in ("__str__", "__repr__"):
            self.look(*node.decorator_list, node.args, *node.body)

    def visit_ClassDef(self, node):
        self.look(*node.decorator_list, *node.bases)
        chooses = any(ast.unparse(base).endswith("Choices") for base in node.bases)
        for statement in node.body:
            value = statement.value if chooses and isinstance(statement, ast.Assign) else None
            if isinstance(value, ast.Tuple):
                self.look(*value.elts[1:], read=True)
            else:  # a choice without its label is given its name for one
                self.look(value or statement, read=value is not None)

    def visit_arg(self, node):
        """Annotations are not read."""

    def visit_AnnAssign(self, node):
        self.named(getattr(node.target, "id", ""), node.value)

    def visit_Assign(self, node):
        self.named(getattr(node.targets[0], "id", ""), node.value)

    def visit_keyword(self, node):
        self.named(node.arg, node.value)

    def named(self, name, value):
        if name not in TECHNICAL_NAMES:
            self.look(value, read=name in READ_NAMES)

    def visit_Call(self, node):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        literals = MARKERS.get(name, 0)
        self.marked += [(name, *(ast.unparse(text) for text in node.args[:literals]))] if literals else []
        self.found += [ast.unparse(text) for text in node.args[:literals] if not isinstance(text, ast.Constant)]
        for place, given in enumerate(node.args[literals:], literals):
            if not (name in TECHNICAL_CALLS and isinstance(given, ast.Constant)):
                self.look(given, read=READ_ARGUMENTS.get(name) == place)
        self.look(node.func, *node.keywords)

    def visit_Subscript(self, node):
        """A key is not read."""
        self.visit(node.value)

    def visit_Dict(self, node):
        self.look(*node.keys)
        self.look(*node.values, read=self.is_read)

    def visit_Tuple(self, node):
        """Of what people choose from, the first is the program's word."""
        self.look(*node.elts[:1], read=False)
        self.look(*node.elts[1:], read=self.is_read)

    def visit_IfExp(self, node):
        self.look(node.test)
        self.look(node.body, node.orelse, read=self.is_read)

    def visit_Compare(self, node):
        self.look(node.left, *node.comparators)

    def visit_comprehension(self, node):
        self.look(node.iter, *node.ifs)
