"""What observations say. Pure: text and tables in, evidence out."""
