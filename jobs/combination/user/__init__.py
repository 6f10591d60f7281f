"""Steps of the users of the result (결합정보 이용자)."""
