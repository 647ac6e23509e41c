"""The systems under test, behind one small interface (`pipelines.interface`)."""
