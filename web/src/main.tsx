import { I18nProvider } from "@cloudscape-design/components/i18n";
import messages from "@cloudscape-design/components/i18n/messages/all.en";
import "@cloudscape-design/global-styles/index.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { root } from "./api/place";
import { App } from "./app/App";
import "./app/console.css";
import { watchHistory } from "./app/leaving";
import { NotificationProvider } from "./app/notifications";
import { queries } from "./app/query";
import { startTheme } from "./app/theme";
import { askAhead } from "./home/queries";
import { keepSession } from "./session/keys";
import { currentSession } from "./session/session";

startTheme();
watchHistory();
keepSession();
if (currentSession() !== undefined && window.location.pathname === root) askAhead(queries);
const element = document.getElementById("root");
if (element === null) throw new Error("the page has no root");
createRoot(element).render(
  <StrictMode>
    <I18nProvider locale="en" messages={[messages]}>
      <QueryClientProvider client={queries}>
        <NotificationProvider>
          <Router base={root.replace(/\/$/, "")}>
            <App />
          </Router>
        </NotificationProvider>
      </QueryClientProvider>
    </I18nProvider>
  </StrictMode>,
);
