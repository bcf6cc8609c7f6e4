"""What differs from robot to robot: friction, masses, gains, delays and pushes."""
