"""Steps of the applicants (결합신청자)."""
