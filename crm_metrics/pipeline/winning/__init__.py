"""What won deals have in common, and why others were lost."""
