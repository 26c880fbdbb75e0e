"""What won deals have in common, and why others were lost.

query      what was known of deals early, where they were lost, and how often they are won by what they are
counts     reasons, competitors and assessments, counted
moves      which activities come before a deal moves on
landmarks  what was known of a deal so many days after its creation
logistic   the regression of the model
model      how well that tells who will be won, and the scores of open deals
factors    how often deals are won by each single thing known early
tables     the tables of the page; metrics, words, labels, figure, answers: what goes with them
"""
