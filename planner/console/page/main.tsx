import { render } from 'preact'
import { App } from './app.tsx'
import './styles/tokens.css'
import './styles/page.css'
import './styles/parts.css'
import './styles/forms.css'
import './styles/list.css'
import './styles/charts.css'
import { applyTheme } from './theme.ts'

applyTheme()
const root = document.getElementById('page')
if (root) render(<App />, root)
