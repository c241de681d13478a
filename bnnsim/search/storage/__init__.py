"""Where a study is stored: trials, the journal, a database, the files at the end."""
