"""Night mode: wave after wave without a person, within what a person granted (docs/night.md)."""
