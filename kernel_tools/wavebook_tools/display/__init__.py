"""What notebooks show: live curves, tables, interactive figures.

Everything here is drawn so that it can be read without a kernel, without a network and without trust: tables are plain
HTML, curves carry a picture beside the interactive figure.
"""

from wavebook_tools.display.curves import LiveCurves
from wavebook_tools.display.output import BOKEH_MIME, show
from wavebook_tools.display.tables import Table, result_table, table

__all__ = ["BOKEH_MIME", "LiveCurves", "Table", "result_table", "show", "table"]
