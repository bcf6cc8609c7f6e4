"""The check of a code override's source, by its syntax alone: nothing of it is executed here.

It keeps out what a reward term has no need of: files, processes, the network, Python's inner workings, and changes of
what the simulator holds. It is the first of three fences: a person then reads the source as a diff, and it runs only in
the run's own process, which gets no secrets.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wavebook_tools.code.allowed import BUILTINS, ENVIRONMENT, IMPORTS, REFUSED_ATTRIBUTES, TORCH
from wavebook_tools.code.unseen import unseen
from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.records.code import CodeOverride

DEEPEST = 60
"""Nesting of the syntax tree that is read."""

NODES = (
    *(ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.FunctionDef, ast.arguments, ast.arg, ast.Return),
    *(ast.Assign, ast.AnnAssign, ast.Expr, ast.If, ast.For, ast.Pass, ast.Break, ast.Continue, ast.Constant),
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Call, ast.keyword, ast.Starred),
    *(ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Tuple, ast.List, ast.Dict),
    *(ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.comprehension, ast.Lambda),
    *(ast.boolop, ast.operator, ast.unaryop, ast.cmpop, ast.expr_context),
)

WORDS = {
    ast.AugAssign: "an assignment such as x *= y may change what the simulator holds; write x = x * y",
    ast.While: "a while loop may never end; use torch's functions or a for loop",
    ast.ClassDef: "a class; a term is one plain function",
    ast.AsyncFunctionDef: "an async function; a term is one plain function",
    ast.Try: "try and except; a term must fail where it fails",
    ast.With: "a with block; a term opens nothing",
    ast.Global: "a global name; a term keeps nothing between steps",
    ast.Nonlocal: "a nonlocal name; a term keeps nothing between steps",
    ast.JoinedStr: "a formatted text; a term returns numbers",
}


def check_code(code: CodeOverride) -> None:
    """Check that a code override is one plain term function that uses only what a term needs.

    Raises:
        UsageError: A line for each problem, with the line of the source and the nearest valid choice.
    """
    try:
        tree = ast.parse(code.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
        raise UsageError(f"code {code.name!r}: {where}this is no Python: {getattr(error, 'msg', error)}") from error
    problems = [*unseen(code.source), *_Checker(code, tree).problems()]
    if problems:
        raise UsageError("\n".join(f"code {code.name!r}: {problem}" for problem in problems[:12]))


class _Checker:
    def __init__(self, code: CodeOverride, tree: ast.Module) -> None:
        self.code = code
        self.tree = tree
        self.modules: dict[str, str] = {}
        """Local names of modules that are imported whole."""
        self.known: set[str] = set()
        """Names that the source itself makes."""

    def problems(self) -> list[str]:
        if _depth(self.tree) > DEEPEST:
            return [f"it is nested deeper than {DEEPEST} levels"]
        found = list(self._shape())
        if found:
            return found
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.known.add(node.id)
            elif isinstance(node, ast.arg):
                self.known.add(node.arg)
        parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(self.tree):
            at = getattr(node, "lineno", None)
            found += [f"line {at}: {problem}" if at else problem for problem in self._node(node, parents.get(node))]
        return list(dict.fromkeys(found))

    def _shape(self) -> Iterator[str]:
        """What is wrong with the source as a whole: its statements, its function, the function's arguments."""
        functions = []
        for number, statement in enumerate(self.tree.body):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                yield from self._imports(statement)
            elif isinstance(statement, ast.FunctionDef):
                functions.append(statement)
            elif not (number == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                yield f"line {statement.lineno}: only imports and one function may stand here"
        if len(functions) != 1:
            yield f"it defines {len(functions)} functions; define one, called {self.code.name}"
            return
        (function,) = functions
        if function.name != self.code.name:
            yield f"line {function.lineno}: the function is called {function.name!r}; call it {self.code.name!r}"
        if function.decorator_list:
            yield f"line {function.lineno}: a decorator; a term is a plain function"
        yield from self._arguments(function)

    def _arguments(self, function: ast.FunctionDef) -> Iterator[str]:
        arguments = function.args
        names = [argument.arg for argument in [*arguments.args, *arguments.kwonlyargs]]
        if arguments.posonlyargs or arguments.vararg or arguments.kwarg:
            yield f"line {function.lineno}: take plain arguments (env, name, …), no *args, **kwargs or /"
            return
        if not names or names[0] != "env":
            yield f"line {function.lineno}: the first argument must be env"
            return
        optional = set(names[len(arguments.args) - len(arguments.defaults) : len(arguments.args)])
        optional |= {a.arg for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None}
        for unknown in [name for name in self.code.params if name not in names[1:]]:
            yield f"params: the function has no argument {unknown!r}.{did_you_mean(unknown, names[1:])}"
        for missing in [name for name in names[1:] if name not in optional and name not in self.code.params]:
            yield f"params: the argument {missing!r} has no value"

    def _imports(self, statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
        line = f"line {statement.lineno}"
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if alias.name not in ("math", "torch"):
                    yield f"{line}: {_no_import(alias.name)}"
                else:
                    self.modules[alias.asname or alias.name] = alias.name
            return
        module = statement.module or ""
        if statement.level or module not in IMPORTS:
            yield f"{line}: {_no_import('.' * statement.level + module)}"
            return
        names = IMPORTS[module]
        for alias in statement.names:
            if (names is not None and alias.name not in names) or alias.name.startswith(("_", "*")):
                yield f"{line}: {module} has no {alias.name!r} for terms.{did_you_mean(alias.name, names or ())}"
            elif module == "torch" and alias.name in ("linalg", "nn", "special", "functional"):
                self.modules[alias.asname or alias.name] = "torch"
            else:
                self.known.add(alias.asname or alias.name)

    def _node(self, node: ast.AST, parent: ast.AST | None) -> Iterator[str]:
        if not isinstance(node, NODES):
            yield WORDS.get(type(node), f"{type(node).__name__} has no place in a term")
        elif isinstance(node, ast.FunctionDef) and not isinstance(parent, ast.Module):
            yield "a function within the function; a term is one plain function"
        elif isinstance(node, ast.Import | ast.ImportFrom) and not isinstance(parent, ast.Module):
            yield "an import within the function; import at the top"
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.For | ast.comprehension):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if any(isinstance(part, ast.Attribute | ast.Subscript) for part in ast.walk(target)):
                    yield "it assigns into something that exists; assign to names only, with torch.where for choices"
        elif isinstance(node, ast.Name):
            yield from self._name(node, parent)
        elif isinstance(node, ast.arg) and (node.arg.startswith("_") or node.arg in self.modules):
            yield f"the argument name {node.arg!r} is taken"
        elif isinstance(node, ast.Attribute):
            yield from self._attribute(node)
        elif isinstance(node, ast.keyword) and node.arg is not None and node.arg in ("out", "func"):
            yield f"the argument {node.arg!r} writes into what exists or calls what is not seen"

    def _name(self, node: ast.Name, parent: ast.AST | None) -> Iterator[str]:
        if isinstance(node.ctx, ast.Store):
            if node.id.startswith("__") or node.id in self.modules or node.id in BUILTINS or node.id == "env":
                yield f"the name {node.id!r} is taken"
            return
        if node.id in self.modules or node.id == "env":
            if not (isinstance(parent, ast.Attribute) and parent.value is node):
                yield f"{node.id!r} stands alone; use what is in it by name, as {node.id}.…"
        elif node.id not in self.known and node.id not in BUILTINS:
            choices = [*self.known, *BUILTINS, *self.modules]
            yield f"the name {node.id!r} is not known here.{did_you_mean(node.id, choices)}"

    def _attribute(self, node: ast.Attribute) -> Iterator[str]:
        name = node.attr
        in_place = name.endswith("_") and not name.endswith("__")
        if name.startswith(("_", "set_", "write_")) or in_place or name.lower() in REFUSED_ATTRIBUTES:
            yield f"the attribute {name!r} is not for terms: it writes, or reaches beyond the numbers"
            return
        root, first = _root(node)
        if root == "env" and first == name and name not in ENVIRONMENT:
            yield f"env.{name} is not for terms.{did_you_mean(name, ENVIRONMENT)}"
        elif root is not None and self.modules.get(root) == "torch" and name not in TORCH and _is_module(node.value):
            yield f"torch has no {name!r} for terms.{did_you_mean(name, TORCH)}"


def _root(node: ast.Attribute) -> tuple[str | None, str]:
    """The name that a chain of attributes begins with, and the first attribute behind it."""
    first = node.attr
    value: ast.AST = node.value
    while isinstance(value, ast.Attribute):
        first, value = value.attr, value.value
    return (value.id if isinstance(value, ast.Name) else None), first


def _is_module(value: ast.AST) -> bool:
    """Whether names alone stand before an attribute, as in ``torch.linalg``."""
    while isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, ast.Name)


def _no_import(name: str) -> str:
    listed = ", ".join(module for module in IMPORTS if module != "__future__")
    return f"{name!r} may not be imported.{did_you_mean(name, IMPORTS)} A term may import from {listed}"


def _depth(tree: ast.AST) -> int:
    deepest, waiting = 0, [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return deepest
