"""What per-query results say: tables, significance, promotion, the gate."""
