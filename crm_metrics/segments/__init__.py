"""Segments: rules that choose customers, shared by every room.

rule        what a rule is, and how it is written
known       what is known of customers on a day
attributes  the closed catalogue of what customers can be chosen by
members     who meets a rule
words       rules in the reader's words
"""
