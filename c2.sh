curl -s 'http://127.0.0.1:8765/v1/record/UUID-OF-THE-ANSWER' \
  -H 'X-Apikey: 6b71ee82bfce4a34de202a9c4b7b073da02f790ba9432f17c3f3f78aaaeee0b4' -H 'X-App: ab661bef8593a071946dac56d0501225'

