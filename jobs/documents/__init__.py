"""The documents of a run: result page, per-item plan, data dictionary; one self-contained HTML file each."""

from jobs.documents.writing import write_documents

__all__ = ["write_documents"]
