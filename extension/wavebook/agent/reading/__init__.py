"""Reads a directive: free English in, a ``Directive`` out, with what was understood and what was not.

Each step takes the words it recognises out of the text, the special before the general; what no step took and is no
filler is reported back. Nothing is guessed.
"""

from wavebook.agent.reading.directive import read_directive

__all__ = ["read_directive"]
