"""The identification-risk review (식별 위험성 검토) as facts: columns, links, releases, the checklist, what to do."""
