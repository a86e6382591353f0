"""Renew their secrets: add beside, prove, switch, prove each, wait, remove what is ours."""
