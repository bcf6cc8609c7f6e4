"""The agent: planners, the conversation with a person, and the approvals that its plans wait for."""
