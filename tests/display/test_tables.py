"""Tables in notebooks."""

from html.parser import HTMLParser

from wavebook_tools.display import result_table, table


class Cells(HTMLParser):
    """The texts of a table's cells, row by row, and what stands on its elements."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.elements = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_rows_become_a_table_that_a_screen_reader_can_walk():
    rows = [
        {"term": "track_lin_vel_xy_exp", "weight": 1.5, "parameters": {"std": 0.5}},
        {"term": "joint_torques_l2", "weight": -2e-5, "parameters": {}, "unit": "N²m²"},
    ]
    cells = Cells(table(rows, "Reward terms").html())
    assert cells.rows == [
        ["term", "weight", "parameters", "unit"],
        ["track_lin_vel_xy_exp", "1.5", '{"std": 0.5}', "–"],
        ["joint_torques_l2", "-2.000e-05", "–", "N²m²"],
    ]
    scopes = [attributes.get("scope") for tag, attributes in cells.elements if tag == "th"]
    assert scopes == ["col"] * 4 + ["row"] * 2
    assert any(tag == "caption" for tag, _ in cells.elements)


def test_text_from_outside_cannot_become_markup():
    html = table([{"term": "<img src=x onerror=alert(1)>"}], "<b>x</b>", headers={"term": "<i>"}).html()
    assert "<img" not in html
    assert "<b>" not in html
    assert "<i>" not in html


def test_a_mapping_becomes_names_and_values():
    cells = Cells(table({"device": "cpu", "versions": {"torch": "2.11.0"}, "commit": None}).html())
    assert cells.rows[1:] == [["device", "cpu"], ["versions.torch", "2.11.0"], ["commit", "–"]]


def test_no_rows_say_so():
    assert "Sub-terrains: none" in table([], "Sub-terrains").html()


def test_results_carry_their_units():
    result = {
        "format": 1,
        "error_vel_xy": 0.1234567,
        "time_out": 1.0,
        "num_envs": 64,
        "device": "cpu",
        "per_terrain": {"flat": {"error_vel_xy": 0.05}},
    }
    rows = Cells(result_table(result).html()).rows
    assert ["Velocity error xy, evaluation", "0.1235", "m/s", "error_vel_xy"] in rows
    assert ["flat: Velocity error xy, evaluation", "0.05", "m/s", "error_vel_xy"] in rows
    assert not any("format" in row for row in rows)


def test_a_table_reads_in_a_terminal():
    assert table([{"name": "a", "value": 2}], "Caption").text().splitlines() == ["Caption", "name  value", "a     2"]
