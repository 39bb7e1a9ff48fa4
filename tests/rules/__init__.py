"""Tests of the rules, one file for each rule file, on worlds that the factory makes."""
