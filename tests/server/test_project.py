async def test_a_folder_without_a_project_is_described_and_left_alone(call, jp_root_dir):
    status, project = await call("GET", "project")
    assert status == 200
    assert project["root"] == str(jp_root_dir)
    assert project["planner"] == {"name": "offline", "label": "Offline planner"}
    assert (await call("GET", "waves")) == (200, {"waves": []})
    assert (await call("GET", "chat")) == (200, {"messages": []})
    assert (await call("GET", "approvals")) == (200, {"approvals": []})
    assert list(jp_root_dir.iterdir()) == []
