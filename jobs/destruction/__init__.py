"""Destruction of published data (가명정보 파기): what is due, who asks, who approves, what proves it, the ledger."""

# The ledger's entry, one for each run: with the fields of the destruction ledger (가명정보 파기대장, L3279).
DESTROYED = "destroy-data"
WHOLE = "files overwritten and removed, with the table's log"
PART = "rows deleted, files overwritten and removed (VACUUM), their statistics taken out of the table's log"
