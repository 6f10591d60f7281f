"""What columns of any table look like, in one pass, and which kind each probably is: help for a plan's author."""
