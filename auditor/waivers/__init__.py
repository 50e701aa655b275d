"""The waiver file: read strictly, and written without losing what a person wrote in it."""
