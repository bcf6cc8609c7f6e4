"""What differs from robot to robot: friction, masses, gains and pushes."""
