"""What would a test on these customers take, and who would be in it? What the rooms of audiences and of campaigns share.

query   what is asked of the customers a rule chooses
tables  what happened without a campaign, how many customers a test takes, and the draw
words   these in words
figure  the chance to find a lift

This file stays empty, so that importing one part loads no other.
"""
