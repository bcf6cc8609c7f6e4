"""``python -m wavebook.agent.night PROJECT``."""

from wavebook.agent.night.process import main

if __name__ == "__main__":
    main()
